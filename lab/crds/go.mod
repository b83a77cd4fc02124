// Modules that carry the CRDs of others: only their files are used, nothing of them is compiled.
module lab.invalid/crds

go 1.24.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
