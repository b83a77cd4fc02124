//go:build tools

// Package main names the programs of frr-k8s that ensure.ts builds, so that go.mod and go.sum hold what they need.
package main

import (
	_ "github.com/metallb/frr-k8s/cmd/frr-k8s-controller"
	_ "github.com/metallb/frr-k8s/cmd/status"
	_ "github.com/metallb/frr-k8s/cmd/statuscleaner"
)
