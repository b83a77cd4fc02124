// Modules that carry the CRDs of others: only their files are used, nothing of them is compiled.
module lab.invalid/crds

go 1.24.0

require (
	github.com/openshift/api v0.0.0-20260204104751-e09e5a4ebcd0
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
