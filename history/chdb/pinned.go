package chdb

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// pin is a package of the library that this binary trusts: what it downloads is what was looked at when the version was chosen.
type pin struct {
	name      string // of the npm package
	integrity string // of the package, as npm writes it: "sha512-" and base64; "" where the package has not been seen
	sha256    string // of the library in it, in hex
	size      int64  // of the library in it
}

func (p pin) spec() string { return p.name + "@" + Version }

// pins are the packages by GOOS/GOARCH.
func pins() map[string]pin {
	return map[string]pin{
		"linux/amd64": {
			name:      "@chdb/lib-linux-x64-gnu",
			integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
			sha256:    "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5",
			size:      566330096,
		},
		"linux/arm64":  {name: "@chdb/lib-linux-arm64-gnu"},
		"darwin/arm64": {name: "@chdb/lib-darwin-arm64"},
		"darwin/amd64": {name: "@chdb/lib-darwin-x64"},
	}
}

// pinned returns the package of a platform, or says why there is none.
func pinned(platform string) (pin, error) {
	p, ok := pins()[platform]
	switch {
	case !ok:
		return pin{}, fmt.Errorf("chdb: ClickHouse is not built as a library for %s; set the URL of a ClickHouse server as the history instead", platform)
	case p.integrity == "":
		return pin{}, fmt.Errorf("chdb: this build knows no digest of %s, so it does not install it; fetch the package by hand and name the %s in it as the library in the configuration", p.spec(), libraryName)
	}
	return p, nil
}

// thisPlatform returns the package for this machine.
func thisPlatform() (pin, error) {
	if runtime.GOOS == "linux" && isMusl("/") {
		return pin{}, fmt.Errorf("chdb: the library needs glibc, and this system has musl (Alpine?); use an image with glibc, or set the URL of a ClickHouse server as the history")
	}
	return pinned(runtime.GOOS + "/" + runtime.GOARCH)
}

// isMusl reports whether the system under root has musl's loader and not glibc's.
func isMusl(root string) bool {
	musl, err := filepath.Glob(filepath.Join(root, "lib", "ld-musl-*.so*"))
	if err != nil || len(musl) == 0 {
		return false
	}
	for _, loader := range []string{"lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1"} {
		if _, err := os.Stat(filepath.Join(root, loader)); err == nil {
			return false
		}
	}
	return true
}
