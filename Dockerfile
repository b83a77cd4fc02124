# The image of all our containers (docs/image.md). lab/image/recipe.ts says the same for the lab, which builds it
# without Docker; a test compares the two.

FROM node:24-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN node tools/build.ts dist && cp node_modules/node-linux-*/bin/node node

FROM debian:trixie-slim
# Group and user before the package, which would take the next free numbers: volumes and pods name them.
RUN groupadd --gid 101 frr \
 && groupadd --gid 102 frrvty \
 && useradd --uid 100 --gid 101 --groups 102 --home-dir / --no-create-home --shell /usr/sbin/nologin frr \
 && usermod --append --groups 102 root \
 && apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates frr iproute2 libstdc++6 procps tini \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/node /usr/local/bin/node
COPY --from=build /src/dist/ /app/
COPY image/frr/ /app/frr/
COPY image/bin/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV NODE_ENV=production
ENV VTYSH_HISTFILE=/dev/null
LABEL org.opencontainers.image.title="metallb-ts"
LABEL org.opencontainers.image.description="Load balancer for bare-metal Kubernetes: controller, speaker, operator and FRR"
LABEL org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
USER 65534:65534
