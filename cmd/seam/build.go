package main

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seam-project/seam/launcher"
)

const seamModule = "github.com/seam-project/seam"

// buildParts are what is needed of seam's source.
var buildParts = []string{"go.mod", "go.sum", "Makefile", "LICENSE", "cmd", "collector", "hooks", "launcher", "preload", "wire"}

// buildTools are what the Makefile calls.
var buildTools = []string{"go", "make", "gcc", "strip", "sha256sum"}

// userPackage is a package with callbacks.
type userPackage struct {
	dir    string // absolute
	module string // folder of its module; "" when it has none, or is of seam's own
	path   string // how it is imported
}

// build makes a seam, and the library in it, with packages of Go callbacks.
func (a *app) build(f *flags) (int, error) {
	if err := noArguments("build", f.set.Args()); err != nil {
		return 0, err
	}
	if len(f.with) == 0 {
		return 0, &problem{msg: "no package to build with", hint: "seam build --with ./myhooks"}
	}
	for _, tool := range buildTools {
		if _, err := exec.LookPath(tool); err != nil {
			return 0, &problem{msg: "can't build: there is no '" + tool + "'", hint: "it takes Go, make, gcc and binutils; programs to be watched need none of them"}
		}
	}
	var packages []userPackage
	for _, dir := range f.with {
		p, err := findPackage(dir)
		if err != nil {
			return 0, err
		}
		packages = append(packages, p)
	}
	source, err := findSource(f.source, packages)
	if err != nil {
		return 0, err
	}
	out := f.output
	if out == "" {
		out = "seam-" + filepath.Base(packages[0].dir)
	}
	if out, err = filepath.Abs(out); err != nil {
		return 0, err
	}
	tree, err := os.MkdirTemp("", "seam-build-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tree)
	if err := copySource(tree, source, packages); err != nil {
		return 0, err
	}
	if err := makeSeam(tree, packages); err != nil {
		return 0, err
	}
	if err := installFile(filepath.Join(tree, "bin", "seam"), out); err != nil {
		return 0, err
	}
	if !f.quiet {
		fmt.Fprintln(a.out, out)
	}
	return 0, nil
}

// findPackage looks at a folder that --with names.
func findPackage(dir string) (userPackage, error) {
	fail := func(msg, hint string) (userPackage, error) {
		return userPackage{}, &problem{msg: fmt.Sprintf("--with '%s': %s", dir, msg), hint: hint}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fail(err.Error(), "")
	}
	if st, err := os.Stat(abs); err != nil || !st.IsDir() {
		return fail("there is no such folder", "the folder of a Go package that calls callbacks.Register")
	}
	files, _ := filepath.Glob(filepath.Join(abs, "*.go"))
	switch {
	case len(files) == 0:
		return fail("no Go files in it", "the folder of a Go package that calls callbacks.Register")
	case isProgram(files):
		return fail("it is a program (package main)", "give the package another name: it is linked into seam")
	}
	mod, err := goTool(abs, "env", "GOMOD")
	if err != nil {
		return fail(err.Error(), "")
	}
	if mod == "" || mod == os.DevNull {
		return userPackage{dir: abs}, nil
	}
	if name, _ := moduleName(filepath.Dir(mod)); name == seamModule {
		return userPackage{dir: abs}, nil
	}
	module, err := moduleName(filepath.Dir(mod))
	if err != nil {
		return fail(err.Error(), "")
	}
	rel, err := filepath.Rel(filepath.Dir(mod), abs)
	if err != nil {
		return fail(err.Error(), "")
	}
	return userPackage{dir: abs, module: filepath.Dir(mod), path: path.Join(module, filepath.ToSlash(rel))}, nil
}

// isProgram: package main can't be imported.
func isProgram(files []string) bool {
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		if p, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.PackageClauseOnly); err == nil {
			return p.Name.Name == "main"
		}
	}
	return false
}

// findSource is the folder with seam's source: what --source says, or what a user's
// module requires.
func findSource(given string, packages []userPackage) (string, error) {
	if given != "" {
		abs, err := filepath.Abs(given)
		if err != nil {
			return "", err
		}
		if name, err := moduleName(abs); err != nil || name != seamModule {
			return "", &problem{msg: fmt.Sprintf("--source '%s': not the source of seam", given), hint: "the folder with its go.mod and Makefile: git clone https://" + seamModule}
		}
		return abs, nil
	}
	for _, p := range packages {
		if dir, err := required(p); err == nil && dir != "" {
			return dir, nil
		}
	}
	return "", &problem{msg: "the source of seam, which is needed to build it with callbacks, is not found",
		hint: "say where it is (--source DIR; git clone https://" + seamModule + "), or have the package's go.mod require it"}
}

// required is where the source of seam is that a package's module asks for. A go.mod that
// is not tidy is good enough, and is not changed.
func required(p userPackage) (string, error) {
	if p.module == "" { // of seam's own
		return goTool(p.dir, "list", "-m", "-f", "{{.Dir}}", seamModule)
	}
	tmp, err := os.MkdirTemp("", "seam-build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for _, f := range []string{"go.mod", "go.sum"} {
		if b, err := os.ReadFile(filepath.Join(p.module, f)); err == nil {
			if err := os.WriteFile(filepath.Join(tmp, f), b, 0o644); err != nil {
				return "", err
			}
		}
	}
	return goTool(p.module, "list", "-m", "-mod=mod", "-modfile="+filepath.Join(tmp, "go.mod"), "-f", "{{.Dir}}", seamModule)
}

// moduleName reads it from the go.mod of a folder.
func moduleName(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "module "); ok {
			return strings.Trim(strings.TrimSpace(rest), `"`), nil
		}
	}
	return "", nil
}

// goTool runs the go command, outside of workspaces, and returns its output.
func goTool(dir string, args ...string) (string, error) {
	c := exec.Command("go", args...)
	c.Dir = dir
	c.Env = append(launcher.Environ(), "GOWORK=off", "GOFLAGS=")
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %s", args[0], strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// copySource copies seam's source into tree, since it is built there, and has it import the
// packages: those without a module of their own are copied, too.
func copySource(tree, source string, packages []userPackage) error {
	for _, part := range buildParts {
		if err := copyTree(filepath.Join(tree, part), filepath.Join(source, part)); err != nil {
			return fmt.Errorf("copy the source of seam: %w", err)
		}
	}
	var imports strings.Builder
	for i := range packages {
		p := &packages[i]
		if p.module == "" {
			at := fmt.Sprintf("hooks/callbacks/with/p%d/%s", i, plainName(filepath.Base(p.dir)))
			if err := copyTree(filepath.Join(tree, at), p.dir); err != nil {
				return fmt.Errorf("copy %s: %w", p.dir, err)
			}
			p.path = seamModule + "/" + at
		}
		fmt.Fprintf(&imports, "import _ %q\n", p.path)
	}
	for _, dir := range []string{"preload", filepath.Join("cmd", "seam")} {
		text := "package main\n\n" + imports.String()
		if err := os.WriteFile(filepath.Join(tree, dir, "with_callbacks.go"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// plainName is a name that can be part of an import path.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, s)
}

// copyTree copies files and folders; what a build made, and files of test data, are left out.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		at := filepath.Join(to, rel)
		switch name := e.Name(); {
		case e.IsDir() && file != from && (name == "testdata" || name == ".git"):
			return filepath.SkipDir
		case e.IsDir():
			return os.MkdirAll(at, 0o755)
		case strings.HasPrefix(name, "libseam.") || !e.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(at, b, 0o644)
	})
}

// makeSeam runs seam's own Makefile in tree, in a workspace of all modules.
func makeSeam(tree string, packages []userPackage) error {
	uses := []string{"work", "init", "."}
	for _, p := range packages {
		if p.module != "" && !slices.Contains(uses, p.module) {
			uses = append(uses, p.module)
		}
	}
	env := append(launcher.Environ(), "GOWORK="+filepath.Join(tree, "go.work"), "GOFLAGS=-buildvcs=false")
	for _, argv := range [][]string{append([]string{"go"}, uses...), {"make", "--no-print-directory", "build", "CALLBACKS=1", "VERSION=" + versionText() + "+callbacks"}} {
		c := exec.Command(argv[0], argv[1:]...)
		c.Dir, c.Env = tree, env
		if out, err := c.CombinedOutput(); err != nil {
			return &problem{msg: "the build failed:\n" + strings.TrimRight(lastLines(string(out), 30), "\n"), hint: "a package of callbacks can't use cgo, and has to build by itself: go vet"}
		}
	}
	return nil
}

func lastLines(s string, n int) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// installFile puts a program in its place, whole or not at all: the one that is there may be running.
func installFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), ".seam-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	if e := tmp.Chmod(0o755); err == nil {
		err = e
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}
