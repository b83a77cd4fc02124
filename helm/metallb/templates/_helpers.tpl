{{- define "metallb.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "metallb.apiPorts" -}}
{{- if .Values.networkpolicies.apiPort -}}
{{ .Values.networkpolicies.apiPort }}
{{- else -}}
{{ join "," .Values.networkpolicies.apiPorts }}
{{- end -}}
{{- end -}}

{{- define "metallb.monitoringLabels" -}}
{{- $pairs := list -}}
{{- range $name, $value := .Values.prometheus.labels }}{{ $pairs = append $pairs (printf "%s=%s" $name $value) }}{{ end -}}
{{ join "," $pairs }}
{{- end -}}

{{- /* What contradicts itself; as in MetalLB's chart. */ -}}
{{- define "metallb.check" -}}
{{- if and .Values.prometheus.serviceMonitor.enabled .Values.prometheus.podMonitor.enabled -}}
{{- fail "prometheus.serviceMonitor.enabled and prometheus.podMonitor.enabled: use one of them" -}}
{{- end -}}
{{- if gt (len (include "metallb.backends" . | fromJsonArray)) 1 -}}
{{- fail "speaker.frr.enabled, frrk8s.enabled and frrk8s.external: use one of them" -}}
{{- end -}}
{{- if and .Values.frrk8s.external (not .Values.frrk8s.namespace) -}}
{{- fail "frrk8s.external needs frrk8s.namespace, where that frr-k8s runs" -}}
{{- end -}}
{{- end -}}

{{- /* Helm never changes a CRD. Rather than let an upgrade run with old ones, say what to do. */ -}}
{{- define "metallb.checkCrds" -}}
{{- if and .Release.IsUpgrade .Values.crds.enabled -}}
{{- range $file, $_ := .Files.Glob "crds/*.yaml" -}}
{{- $ours := $.Files.Get $file | fromYaml -}}
{{- $theirs := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $ours.metadata.name -}}
{{- /* Without a cluster (helm template) there is nothing to compare with. */ -}}
{{- if $.Capabilities.APIVersions.Has "metallb.io/v1beta1/MetalLB" -}}
{{- $theirVersions := dict -}}
{{- range (dig "spec" "versions" list $theirs) -}}
{{- $_ := set $theirVersions .name .schema.openAPIV3Schema -}}
{{- end -}}
{{- range $ours.spec.versions -}}
{{- if and $theirs (ne (toJson .schema.openAPIV3Schema) (get $theirVersions .name | toJson)) -}}
{{- include "metallb.staleCrd" (dict "name" $ours.metadata.name "chart" $.Chart) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "metallb.staleCrd" -}}
{{- printf "CRD %s in the cluster is not the one of chart %s-%s; bring the CRDs up to date and run this again: helm show crds CHART | kubectl apply --server-side --force-conflicts -f - (crds.enabled=false leaves this check out)" .name .chart.Name .chart.Version | fail -}}
{{- end -}}

{{- define "metallb.backends" -}}
{{- $chosen := list -}}
{{- if .Values.speaker.frr.enabled }}{{ $chosen = append $chosen "frr" }}{{ end -}}
{{- if .Values.frrk8s.enabled }}{{ $chosen = append $chosen "frr-k8s" }}{{ end -}}
{{- if .Values.frrk8s.external }}{{ $chosen = append $chosen "frr-k8s-external" }}{{ end -}}
{{ toJson $chosen }}
{{- end -}}

{{- /* controllerConfig and speakerConfig from the familiar values; only what is set. */ -}}
{{- define "metallb.config" -}}
{{- range $field := list "priorityClassName" "runtimeClassName" "affinity" "resources" "labels" "updateStrategy" }}
{{- with get $ $field }}
{{ $field }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- with .podAnnotations }}
annotations: {{ toJson . }}
{{- end }}
{{- end -}}

{{- define "metallb.controllerConfig" -}}
{{- include "metallb.config" . }}
{{- with .replicas }}
replicas: {{ . }}
{{- end }}
{{- end -}}

{{- define "metallb.speakerConfig" -}}
{{- include "metallb.config" . }}
{{- with .frr.resources }}
frrResources: {{ toJson . }}
{{- end }}
{{- if .ignoreExcludeLB }}
ignoreExcludeLB: true
{{- end }}
{{- if not .excludeInterfaces.enabled }}
excludedInterfaces: []
{{- end }}
{{- end -}}

{{- define "metallb.spec" -}}
{{- with .Values.loadBalancerClass }}
loadBalancerClass: {{ . | quote }}
{{- end }}
{{- /* Always there: an API server to which a spec is applied that has become empty takes it for null, and refuses it. */}}
logLevel: {{ .Values.controller.logLevel | default .Values.speaker.logLevel | default "info" }}
{{- with .Values.speaker.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.speaker.tolerations }}
speakerTolerations: {{ toJson . }}
{{- end }}
{{- with include "metallb.speakerConfig" .Values.speaker | trim }}
speakerConfig: {{- . | nindent 2 }}
{{- end }}
{{- with .Values.controller.nodeSelector }}
controllerNodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.controller.tolerations }}
controllerTolerations: {{ toJson . }}
{{- end }}
{{- with include "metallb.controllerConfig" .Values.controller | trim }}
controllerConfig: {{- . | nindent 2 }}
{{- end }}
{{- with include "metallb.backends" . | fromJsonArray | first }}
bgpBackend: {{ . }}
{{- end }}
{{- if .Values.frrk8s.external }}
frrk8sConfig:
  namespace: {{ .Values.frrk8s.namespace | quote }}
  secretPassthrough: {{ .Values.frrk8s.secretPassthrough }}
{{- end }}
{{- end -}}
