package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const maxLines = 700 // of a Go file that is not a test

// textFindings checks one text file of the tree: no unfinished business, and no Go file too long to be read.
func textFindings(name, text string) []string {
	var found []string
	mark := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	lines := 0
	for line := range strings.Lines(text) {
		lines++
		if m := mark.FindString(line); m != "" {
			found = append(found, fmt.Sprintf("%s:%d: %s: do it, or write it down as a known limit", name, lines, m))
		}
	}
	if lines > maxLines && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
		found = append(found, fmt.Sprintf("%s: %d lines, more than %d", name, lines, maxLines))
	}
	return found
}

// packageFindings checks the files of one package: one of them says what it is.
func packageFindings(folder string, files []*ast.File) []string {
	if slices.ContainsFunc(files, func(f *ast.File) bool {
		text := f.Doc.Text()
		return strings.HasPrefix(text, "Package "+f.Name.Name+" ") || f.Name.Name == "main" && strings.HasPrefix(text, "Command ")
	}) {
		return nil
	}
	return []string{folder + ": no package comment (Package name …, Command name …)"}
}

// isText names the files people write; everything else in the tree is data.
func isText(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".md", ".yml", ".yaml", ".sh", ".sql", ".js", ".css", ".html", ".env", ".toml", ".tpl", ".service":
		return true
	}
	return slices.Contains([]string{"Makefile", "Dockerfile"}, filepath.Base(name)) ||
		slices.Contains([]string{"scripts", ".ci"}, filepath.Dir(name))
}

func TestTheTreeIsTidy(t *testing.T) {
	dir := root(t)
	var found []string
	seen := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", "bin", "data"}, name) || d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !isText(name) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		found = append(found, textFindings(name, string(text))...)
		return nil
	}))
	require.Greater(t, seen, 10)
	require.Empty(t, found, strings.Join(found, "\n"))
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	var found []string
	for _, l := range list(t, "-e", "./...") {
		var files []*ast.File
		for _, name := range l.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(l.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			require.NoError(t, err)
			files = append(files, f)
		}
		if len(files) > 0 {
			found = append(found, packageFindings(l.folder(), files)...)
		}
	}
	require.Empty(t, found, strings.Join(found, "\n"))
}

func TestUntidyTextIsFound(t *testing.T) {
	mark := "TO" + "DO"
	long := strings.Repeat("x\n", maxLines+1)
	require.Equal(t, []string{"a.go:2: " + mark + ": do it, or write it down as a known limit"},
		textFindings("a.go", "fine\n// "+mark+": later\n"))
	require.Equal(t, []string{"a.go: 701 lines, more than 700"}, textFindings("a.go", long))
	require.Empty(t, textFindings("a.go", strings.Repeat("x\n", maxLines)))
	require.Empty(t, textFindings("a_test.go", long))
	require.Empty(t, textFindings("a.go", "the ma"+mark+"r\n"), "a mark is a word")
	require.True(t, isText("scripts/deps"))
	require.False(t, isText("event/testdata/capture.json"))
}

func TestAPackageWithoutACommentIsFound(t *testing.T) {
	for text, want := range map[string][]string{
		"// Package a is a.\npackage a\n":      nil,
		"// Command b does b.\npackage main\n": nil,
		"package a\n":                          {"x: no package comment (Package name …, Command name …)"},
		"// Package b is a.\npackage a\n":      {"x: no package comment (Package name …, Command name …)"},
		"// Copyright.\n\npackage a\n":         {"x: no package comment (Package name …, Command name …)"},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "a.go", text, parser.ParseComments)
		require.NoError(t, err)
		require.Equal(t, want, packageFindings("x", []*ast.File{f}), text)
	}
}
