package guard

import (
	"slices"
	"strings"
)

// syntax are functions that the parser makes of operators and words, and that the engine does not list.
func syntax() []string {
	return []string{"_cast", "exists", "grouping", "interval", "lambda", "untuple"}
}

// closed are functions in open categories that tell of the machine, of other queries, or of what a reader has nothing to do with.
func closed() []string {
	return []string{
		"addresstoline", "buildid", "catboostevaluate", "connectionid", "filesystemavailable", "filesystemcapacity", "filesystemunreserved", "file",
		"formatquery", "fqdn", "getclienthttpheader", "getmacro", "getmergetreesetting", "getoskernelversion", "getserverport", "getserversetting",
		"getsetting", "getsettingordefault", "globalvariable", "hasthreadfuzzer", "hostname", "joinget", "joingetornull", "serveruuid", "showcertificate",
		"sleep", "sleepeachrow", "tcpport", "uptime", "zookeepersessionuptime", "transactionid", "transactionlatestsnapshot", "transactionoldestsnapshot",
		"fuzzquery", "generateserialid", "runningconcurrency", "getmaxtablenamelengthfordatabase", "hascolumnintable",
	}
}

// categories are the engine's groups of functions that work on their arguments alone.
func categories() []string {
	return []string{
		"Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance", "Encoding", "Financial", "Geo", "Geo Polygon",
		"Hash", "IP Address", "JSON", "Logical", "Map", "Mathematical", "Null", "NumericIndexedVector", "Other", "QBit", "Random Number", "Rounding", "String",
		"String Replacement", "String Search", "String Splitting", "Time Series", "Time Window", "Tuple", "Type Conversion", "URL", "UUID",
	}
}

// Listed is a function as the engine's system.functions lists it.
type Listed struct {
	Name, Categories, AliasTo string
	Aggregate                 bool
}

// NewFunctions decides which of the engine's functions are open: by category, an alias as what it stands for.
func NewFunctions(listed []Listed) Functions {
	f := Functions{}
	for _, l := range listed {
		if l.AliasTo != "" {
			continue
		}
		open := l.Aggregate
		for c := range strings.SplitSeq(l.Categories, ",") {
			open = open || slices.Contains(categories(), strings.TrimSpace(c))
		}
		name := strings.ToLower(l.Name)
		f[name] = Function{Aggregate: l.Aggregate, Open: open && !slices.Contains(closed(), name)}
	}
	for _, l := range listed {
		if l.AliasTo != "" {
			f[strings.ToLower(l.Name)] = f[strings.ToLower(l.AliasTo)]
		}
	}
	for _, name := range syntax() {
		f[name] = Function{Open: true}
	}
	return f
}

// combinators follow an aggregate function's name.
func combinators() []string {
	return []string{"argmax", "argmin", "array", "distinct", "foreach", "if", "map", "merge", "null", "ordefault", "ornull", "resample", "simplestate", "state"}
}

// open reports whether a function may be called.
func (w walker) open(name string) bool {
	name = strings.ToLower(name)
	if f, ok := w.functions[name]; ok {
		return f.Open
	}
	for _, c := range combinators() {
		rest, ok := strings.CutSuffix(name, c)
		if !ok || rest == "" {
			continue
		}
		if f, known := w.functions[rest]; known && f.Aggregate || !known && w.open(rest) {
			return true
		}
	}
	return false
}

func (w walker) function(n *node) error {
	if !w.open(n.name) {
		return refuse("no function %s", n.name)
	}
	// What stands behind IN may name a table.
	if in := strings.ToLower(n.name); strings.HasSuffix(in, "in") || strings.HasSuffix(in, "inignoreset") {
		for _, list := range n.children {
			for _, c := range list.children {
				if c.kind == "Identifier" && strings.Contains(c.name, ".") && table(c.name) != nil {
					return refuse("no table %s", c.name)
				}
			}
		}
	}
	return nil
}
