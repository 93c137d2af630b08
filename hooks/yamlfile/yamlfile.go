// Package yamlfile reads YAML files strictly: every key must be known, and what
// is wrong is said with its line and column. It is for the seam command; the
// library that is loaded into programs has no YAML in it.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/seam-project/seam/hooks"
)

// MaxSize is the largest file that is read, bytes.
const MaxSize = 1 << 20

// Error is what is wrong with a file, and where.
type Error struct {
	File      string
	Line, Col int // from 1; 0: not known
	Msg, Hint string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	case e.Col == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

// Key is a key that a mapping may have, and what reads its value.
type Key struct {
	Name string
	Read func(*yaml.Node)
}

// Reader walks through a document. After the first error it reads nothing more.
type Reader struct {
	File string
	Err  *Error
}

// Read parses a file and hands its top node to read; an empty file has none.
func Read(file string, read func(*Reader, *yaml.Node)) error {
	f, err := os.Open(file)
	if err != nil {
		return &Error{File: file, Msg: reason(err)}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return &Error{File: file, Msg: reason(err)}
	}
	if len(text) > MaxSize {
		return &Error{File: file, Msg: "is larger than 1 MiB"}
	}
	return Parse(file, text, read)
}

func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// Parse is Read of a text that is at hand.
func Parse(file string, text []byte, read func(*Reader, *yaml.Node)) error {
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return syntax(file, err)
	}
	if len(doc.Content) != 1 || null(doc.Content[0]) {
		return nil
	}
	r := &Reader{File: file}
	read(r, doc.Content[0])
	if r.Err != nil {
		return r.Err
	}
	return nil
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// syntax takes the line out of yaml's text.
func syntax(file string, err error) error {
	e := &Error{File: file, Msg: strings.TrimPrefix(err.Error(), "yaml: "), Hint: "indent with blanks, and quote what has ': ' or ' #' in it"}
	var line int
	if n, _ := fmt.Sscanf(e.Msg, "line %d:", &line); n == 1 {
		e.Line = line
		_, e.Msg, _ = strings.Cut(e.Msg, ": ")
	}
	return e
}

// Fail notes what is wrong at a node, col bytes behind its beginning.
func (r *Reader) Fail(n *yaml.Node, col int, msg, hint string) {
	if r.Err == nil {
		r.Err = &Error{r.File, n.Line, n.Column + col, msg, hint}
	}
}

// FailText notes what is wrong in the text of a scalar. The column of a
// hooks.ProbeError is that of the file, where the text stands there as it is.
func (r *Reader) FailText(n *yaml.Node, err error) {
	var pe *hooks.ProbeError
	if !errors.As(err, &pe) {
		r.Fail(n, 0, err.Error(), "")
		return
	}
	col := 0
	switch n.Style {
	case 0:
		col = pe.Col - 1
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		col = pe.Col
	}
	r.Fail(n, col, pe.Msg, pe.Hint)
}

// Fields goes through a mapping, each key of which must be known, once.
func (r *Reader) Fields(n *yaml.Node, known ...Key) {
	var names []string
	for _, k := range known {
		names = append(names, k.Name)
	}
	all := "the keys are: " + strings.Join(names, ", ")
	if n.Kind != yaml.MappingNode {
		r.Fail(n, 0, "expected keys and values, not "+kind(n), all)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && r.Err == nil; i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		var read func(*yaml.Node)
		for _, w := range known {
			if w.Name == k.Value {
				read = w.Read
			}
		}
		switch {
		case read == nil:
			hint := all
			if near := hooks.Nearest(k.Value, names); len(near) > 0 {
				hint = "did you mean " + strings.Join(near, " or ") + "?"
			}
			r.Fail(k, 0, fmt.Sprintf("unknown key '%s'", k.Value), hint)
		case seen[k.Value]:
			r.Fail(k, 0, fmt.Sprintf("'%s' is there twice", k.Value), "")
		default:
			seen[k.Value] = true
			read(v)
		}
	}
}

// Items goes through a list; nothing is an empty one.
func (r *Reader) Items(n *yaml.Node, read func(*yaml.Node)) {
	if null(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.Fail(n, 0, "expected a list, not "+kind(n), "begin each entry with '- '")
		return
	}
	for _, v := range n.Content {
		if r.Err == nil {
			read(v)
		}
	}
}

// Scalar is a node's text. Not ok: it is not a text, and that is noted.
func (r *Reader) Scalar(n *yaml.Node) (text string, ok bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		r.Fail(n, 0, "expected a text, not "+kind(n), "")
		return "", false
	}
	return n.Value, true
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "a reference"
	}
	return "'" + n.Value + "'"
}
