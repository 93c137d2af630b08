package launcher

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
)

// script follows a #! line: interpreter and at most one argument, as the kernel
// takes it apart (fs/binfmt_script.c).
func (c *checker) script(t *Target, path string, head []byte, args []string, depth int) error {
	if depth >= maxScripts {
		return &Refusal{Reason: BadInterpreter, Object: path, Detail: "too many #! lines in a row"}
	}
	interp, arg, err := hashBang(head)
	if err != "" {
		return &Refusal{Reason: BadInterpreter, Object: path, Detail: err}
	}
	t.Via = append(t.Via, path)
	if e := c.executable(interp); e != nil {
		r := &Refusal{Reason: BadInterpreter, Object: path, Detail: e.Error()}
		if strings.HasSuffix(interp, "\r") {
			r.Hint = "its lines end in CR LF: convert it (sed -i 's/\\r$//')"
		} else if x, ok := e.(*Refusal); ok {
			r.Hint = x.Hint
		}
		return r
	}
	next := make([]string, 0, len(args)+2)
	if arg != "" {
		next = append(next, arg)
	}
	next = append(next, path)
	next = append(next, args...)
	if filepath.Base(interp) == "env" {
		return c.env(t, path, interp, next, depth+1)
	}
	return c.follow(t, interp, next, depth+1)
}

// hashBang takes a #! line apart; err is "" or what is wrong with it.
func hashBang(head []byte) (interp, arg, err string) {
	line, _, whole := bytes.Cut(head[2:], []byte("\n"))
	line = bytes.Trim(line, " \t")
	if i := bytes.IndexByte(line, 0); i >= 0 {
		line = line[:i]
	}
	if len(line) == 0 {
		return "", "", "its #! line names no interpreter"
	}
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		if !whole && len(head) == maxHashBang {
			return "", "", "its #! line is too long"
		}
		return string(line), "", ""
	}
	return string(line[:i]), string(bytes.Trim(line[i:], " \t")), ""
}

// env follows env(1) as an interpreter: what it will run is found in PATH.
func (c *checker) env(t *Target, script, path string, args []string, depth int) error {
	// env itself is the first thing that is started; if it can't be served, the
	// rest won't be either.
	if err := c.follow(t, path, nil, depth); err != nil {
		return err
	}
	cleared, name, rest, ok := envCommand(args)
	// The memo has no arguments that come after the program's.
	if _, own, _, first := envCommand(args[:min(1, len(args))]); !first || own != name {
		c.seen.never("what env runs is among the arguments")
	}
	if cleared {
		return &Refusal{Reason: ScrubsEnviron, Object: script, Detail: "its #! line runs env -i, which removes LD_PRELOAD",
			Hint: "start its interpreter directly"}
	}
	if !ok {
		t.Notes = append(t.Notes, fmt.Sprintf("'%s': can't tell what its env line runs", script))
		return nil
	}
	t.Via = append(t.Via, path)
	file, err := c.find(name)
	if err != nil {
		r := &Refusal{Reason: BadInterpreter, Object: script, Detail: fmt.Sprintf("no such program in PATH: '%s'", name)}
		if strings.HasSuffix(name, "\r") {
			r.Hint = "its lines end in CR LF: convert it (sed -i 's/\\r$//')"
		}
		return r
	}
	return c.follow(t, file, rest, depth)
}

// envCommand finds the command in env's arguments. ok is false when there is
// none, or it can't be known beforehand.
func envCommand(args []string) (cleared bool, name string, rest []string, ok bool) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return envOperands(cleared, args[i+1:])
		case a == "-" || a == "-i" || a == "--ignore-environment":
			cleared = true
		case a == "-u" || a == "-C" || a == "--unset" || a == "--chdir":
			i++
		case a == "-S" || a == "--split-string":
			if i+1 >= len(args) {
				return cleared, "", nil, false
			}
			args = append(splitString(args[i+1]), args[i+2:]...)
			i = -1
		case strings.HasPrefix(a, "--split-string="):
			args = append(splitString(a[len("--split-string="):]), args[i+1:]...)
			i = -1
		case strings.HasPrefix(a, "--"):
		case strings.HasPrefix(a, "-"):
			// Short options in a cluster, such as -vS or -iS: S takes the rest.
			flags, text, split := strings.Cut(a[1:], "S")
			if strings.Contains(flags, "i") {
				cleared = true
			}
			if strings.ContainsAny(flags, "uC") {
				continue // its value follows, in this argument
			}
			if split {
				args = append(splitString(text), args[i+1:]...)
				i = -1
			}
		default:
			return envOperands(cleared, args[i:])
		}
	}
	return cleared, "", nil, false
}

func envOperands(cleared bool, args []string) (bool, string, []string, bool) {
	for i, a := range args {
		if strings.Contains(a, "=") {
			if strings.HasPrefix(a, "PATH=") || strings.HasPrefix(a, "LD_PRELOAD=") {
				return cleared, "", nil, false
			}
			continue
		}
		if strings.Contains(a, "${") {
			return cleared, "", nil, false
		}
		return cleared, a, args[i+1:], true
	}
	return cleared, "", nil, false
}

// splitString splits as env -S does, as far as #! lines in practice go:
// blanks, quotes, and backslashes.
func splitString(s string) []string {
	var out []string
	var cur []byte
	var quote byte
	started := false
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch == '\\' && quote != '\'' && i+1 < len(s):
			i++
			switch {
			case s[i] == '_' && quote == 0:
				if started {
					out, cur, started = append(out, string(cur)), nil, false
				}
				continue
			case s[i] == '_':
				cur = append(cur, ' ')
			case s[i] == 't':
				cur = append(cur, '\t')
			case s[i] == 'n':
				cur = append(cur, '\n')
			case s[i] == 'c' && quote == 0:
				i = len(s)
				continue
			default:
				cur = append(cur, s[i])
			}
			started = true
		case quote != 0 && ch == quote:
			quote = 0
		case quote != 0:
			cur = append(cur, ch)
		case ch == '\'' || ch == '"':
			quote, started = ch, true
		case ch == '#' && !started:
			i = len(s)
		case ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == '\v' || ch == '\f':
			if started {
				out, cur, started = append(out, string(cur)), nil, false
			}
		default:
			cur, started = append(cur, ch), true
		}
	}
	if started {
		out = append(out, string(cur))
	}
	return out
}
