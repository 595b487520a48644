package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is what `go list` says of a package.
type listed struct {
	ImportPath                         string
	Dir                                string
	Imports, TestImports, XTestImports []string
}

// rule forbids imports: a package under From may import only what Allow says.
type rule struct {
	name  string
	from  func(pkg string) bool
	allow func(pkg, imported string) bool
	tests bool // also binds the imports of tests
}

func in(pkg, dir string) bool {
	return pkg == "mqttlab/"+dir || strings.HasPrefix(pkg, "mqttlab/"+dir+"/")
}

func under(dirs ...string) func(string) bool {
	return func(pkg string) bool {
		return slices.ContainsFunc(dirs, func(d string) bool { return in(pkg, d) })
	}
}

func std(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return first != "mqttlab" && !strings.Contains(first, ".")
}

func everything(string) bool { return true }

// reserved says that only packages under dirs import paths with the given prefix.
func reserved(prefix string, tests bool, dirs ...string) rule {
	return rule{
		name: fmt.Sprintf("%s only in %s", prefix, strings.Join(dirs, ", ")), from: everything, tests: tests,
		allow: func(pkg, imported string) bool {
			return !strings.HasPrefix(imported, prefix) || under(dirs...)(pkg)
		},
	}
}

var ioPackages = []string{"net", "os", "sync", "log", "log/slog", "syscall", "math/rand"}

// rules are the import rules that hold the house up.
var rules = []rule{
	{
		name: "nothing imports cmd", from: everything, tests: true,
		allow: func(_, imported string) bool { return !in(imported, "cmd") },
	},
	{
		name:  "vocabulary, statements, octets, link model and record stand on the standard library alone",
		from:  under("reference-broker/mqtt", "spec/statement", "spec/octets", "netem/link", "reports/model"),
		allow: func(_, imported string) bool { return std(imported) },
	},
	{
		name: "core does no I/O and speaks packets", from: under("reference-broker/core"),
		allow: func(_, imported string) bool {
			return std(imported) && !slices.Contains(ioPackages, imported) && !strings.HasPrefix(imported, "net/") ||
				under("reference-broker/core", "reference-broker/mqtt")(imported)
		},
	},
	{
		name: "spec is independent of the broker it judges", tests: true,
		from:  func(pkg string) bool { return in(pkg, "spec") && !in(pkg, "spec/selftest") },
		allow: func(_, imported string) bool { return !in(imported, "reference-broker") },
	},
	{
		name: "netem and reports know no MQTT", from: under("netem", "reports"), tests: true,
		allow: func(_, imported string) bool { return !under("reference-broker", "spec", "simulator")(imported) },
	},
	{
		name: "netem knows no reports", from: under("netem"), tests: true,
		allow: func(_, imported string) bool { return !in(imported, "reports") },
	},
	{
		name: "reports knows no netem", from: under("reports"), tests: true,
		allow: func(_, imported string) bool { return !in(imported, "netem") },
	},
	{
		name: "simulator does not import spec", from: under("simulator"), tests: true,
		allow: func(_, imported string) bool { return !in(imported, "spec") },
	},
	{
		name: "spec does not import simulator", from: under("spec"), tests: true,
		allow: func(_, imported string) bool { return !in(imported, "simulator") },
	},
	reserved("github.com/onsi/ginkgo", true, "spec/suite"),
	reserved("github.com/onsi/gomega", true, "spec"),
	reserved("gvisor.dev/gvisor", true, "netem/stack"),
	reserved("gonum.org/v1/gonum", false, "reports/latency", "reports/compare", "simulator/arrival"),
	reserved("github.com/testcontainers/", true, "spec/target/launch"),
	reserved("github.com/spf13/", true, "cmd"),
}

// breaches returns one line per import that a rule forbids.
func breaches(pkgs []listed) []string {
	var found []string
	for _, p := range pkgs {
		for _, r := range rules {
			if !r.from(p.ImportPath) {
				continue
			}
			imports := p.Imports
			if r.tests {
				imports = slices.Concat(p.Imports, p.TestImports, p.XTestImports)
			}
			for _, imported := range imports {
				if !r.allow(p.ImportPath, imported) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", p.ImportPath, imported, r.name))
				}
			}
		}
	}
	return found
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "mqttlab/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestImportRulesHold(t *testing.T) {
	pkgs := list(t)
	if len(pkgs) < 5 {
		t.Fatalf("go list found %d packages only", len(pkgs))
	}
	for _, b := range breaches(pkgs) {
		t.Error(b)
	}
}

// TestImportRulesCatch shows each rule an import that it has to refuse, so that a rule that stopped working is noticed.
func TestImportRulesCatch(t *testing.T) {
	for _, broken := range []listed{
		{ImportPath: "mqttlab/reports/html", Imports: []string{"mqttlab/cmd/mqttlab"}},
		{ImportPath: "mqttlab/netem/link", Imports: []string{"gonum.org/v1/gonum/stat"}},
		{ImportPath: "mqttlab/reference-broker/core/server", Imports: []string{"sync"}},
		{ImportPath: "mqttlab/reference-broker/core/topic", Imports: []string{"net/netip"}},
		{ImportPath: "mqttlab/reference-broker/core/client", Imports: []string{"mqttlab/reference-broker/wire"}},
		{ImportPath: "mqttlab/spec/probe", Imports: []string{"mqttlab/reference-broker/wire"}},
		{ImportPath: "mqttlab/spec/suite", XTestImports: []string{"mqttlab/reference-broker/broker"}},
		{ImportPath: "mqttlab/netem/relay", Imports: []string{"mqttlab/reference-broker/mqtt"}},
		{ImportPath: "mqttlab/netem/relay", Imports: []string{"mqttlab/reports/model"}},
		{ImportPath: "mqttlab/reports/html", Imports: []string{"mqttlab/netem/link"}},
		{ImportPath: "mqttlab/simulator/fleet", Imports: []string{"mqttlab/spec/octets"}},
		{ImportPath: "mqttlab/spec/target", TestImports: []string{"mqttlab/simulator/fleet"}},
		{ImportPath: "mqttlab/spec/conformance", Imports: []string{"github.com/onsi/ginkgo/v2"}},
		{ImportPath: "mqttlab/simulator/fleet", TestImports: []string{"github.com/onsi/gomega"}},
		{ImportPath: "mqttlab/simulator/fleet", Imports: []string{"gvisor.dev/gvisor/pkg/tcpip"}},
		{ImportPath: "mqttlab/reports/html", Imports: []string{"gonum.org/v1/gonum/stat"}},
		{ImportPath: "mqttlab/spec/suite", Imports: []string{"github.com/spf13/cobra"}},
		{ImportPath: "mqttlab/spec/suite", Imports: []string{"github.com/testcontainers/testcontainers-go"}},
	} {
		if len(breaches([]listed{broken})) == 0 {
			t.Errorf("no rule refused: %+v", broken)
		}
	}
	selftest := listed{ImportPath: "mqttlab/spec/selftest", XTestImports: []string{"mqttlab/reference-broker/fault"}}
	if got := breaches([]listed{selftest}); got != nil {
		t.Errorf("selftest may import the broker, but: %v", got)
	}
}

// forbidden are the calls that would give core a clock or an unseeded source of its own.
var forbidden = map[string][]string{
	"time": {"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since", "Until"},
	"rand": {"Int", "IntN", "Uint32", "Uint64", "Float64", "Shuffle", "Perm", "N"},
}

// clockCalls returns the forbidden calls in one file of Go source.
func clockCalls(name string, src any) ([]string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		return nil, err
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Obj == nil && slices.Contains(forbidden[pkg.Name], sel.Sel.Name) {
			found = append(found, fmt.Sprintf("%s: %s.%s", fset.Position(sel.Pos()), pkg.Name, sel.Sel.Name))
		}
		return true
	})
	return found, nil
}

func TestCoreHasNoClock(t *testing.T) {
	for _, root := range []string{"../../reference-broker/core", "../../netem/link"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			found, err := clockCalls(path, nil)
			for _, f := range found {
				t.Error(f)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const broken = "package x\nimport \"time\"\nvar t = time.Now()\n"
	if found, err := clockCalls("broken.go", broken); err != nil || len(found) != 1 {
		t.Errorf("time.Now in core went unnoticed: %v %v", found, err)
	}
}
