package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pureFolders, with all below them, are functions of their input. They import no other folder of the module.
func pureFolders() []string {
	return []string{"event", "rules", "correlate", "itsm", "internal/fixed", "internal/flat", "internal/labelset"}
}

// impureImports are the packages that bring in I/O, randomness, logging or locks; a trailing slash means all below.
func impureImports() map[string]string {
	return map[string]string{
		"os": "I/O", "os/": "I/O", "io/fs": "I/O", "io/ioutil": "I/O", "net": "I/O", "net/": "I/O", "syscall": "I/O",
		"log": "logging", "log/": "logging",
		"math/rand": "randomness", "math/rand/": "randomness", "crypto/rand": "randomness", "hash/maphash": "randomness",
		"sync": "locks", "sync/": "locks", "context": "a clock",
	}
}

// impureNames are functions and values of otherwise innocent packages.
func impureNames() map[string]string {
	names := map[string]string{
		"time.LoadLocation": "reads the system's zones", "time.Local": "reads the system's zones",
	}
	for _, name := range []string{
		"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker",
	} {
		names["time."+name] = "reads the clock"
	}
	return names
}

const (
	pureImport = "// pure: " // excuses an import
	orderFree  = "// order-free: "
)

// purity walks one package and collects what the core may not do.
type purity struct {
	source
	root    string
	excused map[string]map[int]string // file → line → comment with a reason
	found   []string
}

func purityFindings(s source, root string) []string {
	p := &purity{source: s, root: root, excused: map[string]map[int]string{}}
	for _, f := range s.files {
		p.readExcuses(f)
		p.imports(f)
		sorted := map[ast.Node]bool{} // calls whose result is sorted at once
		ast.Inspect(f, func(n ast.Node) bool { p.node(n, sorted); return true })
	}
	slices.Sort(p.found)
	return p.found
}

// readExcuses notes the comments that excuse their line, or the next when they stand alone.
func (p *purity) readExcuses(f *ast.File) {
	reason := regexp.MustCompile(`^// (order-free|pure): \w`)
	code := map[int]bool{} // lines where something but a comment begins
	ast.Inspect(f, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.Comment, *ast.CommentGroup:
			return false
		}
		_, line := p.at(n, p.root)
		code[line] = true
		return true
	})
	for _, group := range f.Comments {
		for _, c := range group.List {
			if !reason.MatchString(c.Text) {
				continue
			}
			file, line := p.at(c, p.root)
			if p.excused[file] == nil {
				p.excused[file] = map[int]string{}
			}
			p.excused[file][line] = c.Text
			if !code[line] {
				p.excused[file][line+1] = c.Text
			}
		}
	}
}

func (p *purity) add(n ast.Node, excuse, format string, args ...any) {
	file, line := p.at(n, p.root)
	if excuse != "" && strings.HasPrefix(p.excused[file][line], excuse) {
		return
	}
	p.found = append(p.found, fmt.Sprintf("%s:%d: ", file, line)+fmt.Sprintf(format, args...))
}

func (p *purity) imports(f *ast.File) {
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has seen to it
		}
		for name, why := range impureImports() {
			if path == name || strings.HasSuffix(name, "/") && strings.HasPrefix(path, name) {
				p.add(spec, pureImport, "import %q: %s", path, why)
			}
		}
		if ours(path) && !isPure(folder(path)) {
			p.add(spec, "", "import %q: not part of the core", folder(path))
		}
	}
}

func isPure(folder string) bool {
	return slices.ContainsFunc(pureFolders(), func(pure string) bool {
		return folder == pure || strings.HasPrefix(folder, pure+"/")
	})
}

func (p *purity) node(n ast.Node, sorted map[ast.Node]bool) {
	switch n := n.(type) {
	case *ast.GoStmt:
		p.add(n, "", "go statement")
	case *ast.SelectStmt:
		p.add(n, "", "select")
	case *ast.SendStmt, *ast.ChanType:
		p.add(n, "", "channel")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			p.add(n, "", "channel")
		}
	case *ast.RangeStmt:
		p.ranged(n)
	case *ast.BinaryExpr:
		p.compared(n)
	case *ast.CallExpr:
		p.call(n, sorted)
	case *ast.SelectorExpr:
		if name := p.qualified(n); impureNames()[name] != "" {
			p.add(n, "", "%s %s", name, impureNames()[name])
		}
	}
}

func (p *purity) ranged(n *ast.RangeStmt) {
	switch p.under(n.X).(type) {
	case *types.Map:
		p.add(n, orderFree, "range over a map without %swhy", orderFree)
	case *types.Chan:
		p.add(n, "", "channel")
	}
}

func (p *purity) compared(n *ast.BinaryExpr) {
	comparisons := []token.Token{token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ}
	if slices.Contains(comparisons, n.Op) && (p.isFloat(n.X) || p.isFloat(n.Y)) {
		p.add(n, "", "comparison of floats")
	}
}

// call looks at iterators over maps, whose order is as random as range's unless the caller sorts at once, and at the
// comparisons that hide in functions. A call is visited before its arguments.
func (p *purity) call(n *ast.CallExpr, sorted map[ast.Node]bool) {
	name := p.qualified(n.Fun)
	switch {
	case strings.HasPrefix(name, "slices.Sorted"):
		sorted[n.Args[0]] = true
	case (name == "maps.Keys" || name == "maps.Values" || name == "maps.All") && !sorted[n]:
		p.add(n, orderFree, "%s unsorted without %swhy", name, orderFree)
	case name == "builtin.min" || name == "builtin.max" || name == "cmp.Compare" || name == "cmp.Less":
		if slices.ContainsFunc(n.Args, p.isFloat) {
			p.add(n, "", "comparison of floats")
		}
	}
}

func (p *purity) under(e ast.Expr) types.Type {
	if t := p.info.TypeOf(e); t != nil {
		return t.Underlying()
	}
	return nil
}

func (p *purity) isFloat(e ast.Expr) bool {
	basic, ok := p.under(e).(*types.Basic)
	return ok && basic.Info()&(types.IsFloat|types.IsComplex) != 0
}

// qualified returns package.name of a package-level name, builtin.name of a builtin, "" of anything else.
func (p *purity) qualified(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		if b, ok := p.info.Uses[e].(*types.Builtin); ok {
			return "builtin." + b.Name()
		}
	case *ast.IndexExpr: // an instantiated generic function
		return p.qualified(e.X)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if name, ok := p.info.Uses[x].(*types.PkgName); ok {
				return name.Imported().Path() + "." + e.Sel.Name
			}
		}
	}
	return ""
}

func TestTheCoreIsPure(t *testing.T) {
	var patterns []string
	for _, l := range list(t, "-e", "./...") {
		if isPure(l.folder()) {
			patterns = append(patterns, l.ImportPath)
		}
	}
	require.NotEmpty(t, patterns)
	export := exports(t, patterns...)
	var found []string
	for _, l := range list(t, patterns...) {
		files := map[string]any{}
		for _, name := range l.GoFiles {
			files[filepath.Join(l.Dir, name)] = nil
		}
		found = append(found, purityFindings(check(t, l.ImportPath, files, export), root(t))...)
	}
	require.Empty(t, found, strings.Join(found, "\n"))
}

// impureSource holds one of each; a line's finding stands behind it as a comment, in the words of the finding.
const impureSource = `package core
import (
	"cmp"
	"maps"
	"net/http" //! import "net/http": I/O
	"math/rand/v2" //! import "math/rand/v2": randomness
	_ "log/slog" //! import "log/slog": logging
	_ "hash/maphash" // pure: the seed never leaves this table
	"slices"
	"sync" //! import "sync": locks
	clock "time"
)
type table map[string]int
var mu sync.Mutex
var _ = http.StatusOK
func f(m table, pair func(func(string, int) bool), x, y float64, at clock.Time) {
	_ = clock.Now() //! time.Now reads the clock
	now := clock.Now //! time.Now reads the clock
	_ = now
	_ = at.After(at)
	_ = clock.Unix(rand.Int64(), 0).Add(clock.Second)
	_, _ = clock.LoadLocation("UTC") //! time.LoadLocation reads the system's zones
	go f(nil, nil, 0, 0, at) //! go statement
	ch := make(chan int) //! channel
	ch <- 1 //! channel
	<-ch //! channel
	for range ch { //! channel
	}
	select {} //! select
}
func g(m table, pair func(func(string, int) bool), x, y float64) {
	for range m { //! range over a map without // order-free: why
	}
	for range m { // order-free: counts
		for range m { //! range over a map without // order-free: why
		}
	}
	// order-free: counts, too
	for range m {
	}
	for range m { // order-free: //! range over a map without // order-free: why
	}
	for range pair {
	}
	for range []int{1} {
	}
	_ = slices.Sorted(maps.Keys(m))
	_ = slices.Collect(maps.Keys(m)) //! maps.Keys unsorted without // order-free: why
	for range maps.All(m) { //! maps.All unsorted without // order-free: why
	}
	_ = x < y //! comparison of floats
	_ = x == 0 //! comparison of floats
	_ = max(x, y) //! comparison of floats
	_ = cmp.Compare[float64](x, y) //! comparison of floats
	_ = x + y
	_ = max(1, 2) < len(m)
}
`

func TestEachImpurityIsFoundAndNothingElse(t *testing.T) {
	export := exports(t, "cmp", "maps", "net/http", "math/rand/v2", "log/slog", "hash/maphash", "slices", "sync", "time")
	var want []string
	line := 0
	for text := range strings.Lines(impureSource) {
		line++
		if _, finding, ok := strings.Cut(text, "//! "); ok {
			want = append(want, fmt.Sprintf("core.go:%d: %s", line, strings.TrimSpace(finding)))
		}
	}
	found := purityFindings(check(t, "core", map[string]any{"core.go": impureSource}, export), "/")
	require.ElementsMatch(t, want, found)
}

func TestTheCoreImportsOnlyTheCore(t *testing.T) {
	export := exports(t, "github.com/stretchr/testify/require")
	export[modulePath+"/journal"] = export["errors"]
	export[modulePath+"/event"] = export["errors"]
	found := purityFindings(check(t, "core", map[string]any{"core.go": `package core
import _ "` + modulePath + `/journal"
import _ "` + modulePath + `/event"
`}, export), "/")
	require.Equal(t, []string{`core.go:2: import "journal": not part of the core`}, found)
}
