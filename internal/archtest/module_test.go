package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/tocsin-noc/tocsin"

// listed is what the tests read of one package in the output of go list.
type listed struct {
	ImportPath string
	Dir        string
	Export     string // file of its export data
	Standard   bool
	GoFiles    []string // without tests
	Imports    []string // of GoFiles
}

// folder returns the package's place in the module, "." for its root.
func (l listed) folder() string { return folder(l.ImportPath) }

func folder(importPath string) string {
	rest, _ := strings.CutPrefix(importPath, modulePath)
	if rest == "" {
		return "."
	}
	return strings.TrimPrefix(rest, "/")
}

func ours(importPath string) bool {
	return importPath == modulePath || strings.HasPrefix(importPath, modulePath+"/")
}

// root returns the module's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "go.mod"))
	return dir
}

// list runs go list in the module's root.
func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Export,Standard,GoFiles,Imports"}, args...)...)
	cmd.Dir, cmd.Stderr = root(t), os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go list %v", args)
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, l)
	}
}

// source is one parsed and type-checked package.
type source struct {
	fset  *token.FileSet
	files []*ast.File
	info  *types.Info
}

// at returns file:line of a node, the file relative to the module where it lies in it.
func (s source) at(n ast.Node, root string) (file string, line int) {
	p := s.fset.Position(n.Pos())
	if rel, err := filepath.Rel(root, p.Filename); err == nil && filepath.IsLocal(rel) {
		return rel, p.Line
	}
	return p.Filename, p.Line
}

// check parses and type-checks files (name to content; nil content reads the file) against export data.
func check(t *testing.T, path string, files map[string]any, export map[string]string) source {
	t.Helper()
	s := source{fset: token.NewFileSet(), info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
	}}
	for name, content := range files {
		f, err := parser.ParseFile(s.fset, name, content, parser.ParseComments)
		require.NoError(t, err)
		s.files = append(s.files, f)
	}
	config := types.Config{Importer: importer.ForCompiler(s.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(export[path])
	})}
	_, err := config.Check(path, s.fset, s.files, s.info)
	require.NoError(t, err)
	return s
}

// exports maps the import path of everything the packages need to its export data.
func exports(t *testing.T, packages ...string) map[string]string {
	t.Helper()
	export := map[string]string{}
	for _, l := range list(t, append([]string{"-export", "-deps"}, packages...)...) {
		export[l.ImportPath] = l.Export
	}
	return export
}
