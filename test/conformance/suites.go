//go:build suites

package main

// These imports keep in go.mod what the acceptance suites need to compile; nothing builds with this tag.
import (
	_ "github.com/prometheus/alertmanager/test/cli"
	_ "github.com/prometheus/alertmanager/test/with_api_v2"
	_ "github.com/stretchr/testify/require"
)
