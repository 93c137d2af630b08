package hooks

import (
	"slices"
	"strconv"
	"strings"
)

var clauseNames = []string{"entry", "errno", "exec", "exit", "fails", "forks", "handover", "noreturn", "stack"}

func (p *protoParser) clauses(h *Hook) {
	if p.accept('{') {
		// {N} right after the parentheses is the cap of the result's string.
		if n, ok := p.number(); ok && p.expect('}', "") {
			h.Ret.Cap = uint16(min(max(n, 0), capMost))
		}
	}
	for p.err == nil && p.peek() != 0 && p.peek() != ';' {
		pos := p.pos
		w := p.ident()
		if p.user && slices.Contains(packWords, w) {
			p.fail(pos, "'"+w+"' is for packs", "a prototype says what the arguments and the result are")
			return
		}
		switch w {
		case "fails":
			p.failRule(h)
		case "errno":
			h.Errno = true
		case "entry":
			h.EntryOnly = true
		case "noreturn":
			h.Flags |= HookNoReturn
			h.EntryOnly = true
		case "forks":
			h.Flags |= HookForks
		case "exec":
			h.Flags |= HookExec
		case "exit":
			h.Flags |= HookExit | HookNoReturn
			h.EntryOnly = true
		case "handover":
			at := p.pos
			switch p.ident() {
			case "db":
				h.Handover = HandoverSqliteDB
			case "stmt":
				h.Handover = HandoverSqliteStmt
			case "open":
				h.Handover = HandoverSqliteOpen
			default:
				p.fail(at, "unknown hand-over", "db, stmt or open")
			}
		case "stack":
			at := p.pos
			n, ok := p.number()
			if ok && (n < 0 || n > 32) {
				p.fail(at, "stack words are 0 to 32", "")
			}
			h.StackCopy = uint8(n)
		default:
			if w == "" {
				w = string(p.text[pos])
			}
			p.fail(pos, "unexpected "+strconv.Quote(w), "after the parameters: "+oneOf(clauseNames))
		}
	}
}

// failRule reads what follows "fails".
func (p *protoParser) failRule(h *Hook) {
	h.Fail.Width = 4
	if h.Ret.Size == 8 {
		h.Fail.Width = 8
	}
	if h.Ret.Type == TVoid || h.Ret.Type == TFloat {
		p.fail(p.pos, "a function without an integer result can't fail", "")
		return
	}
	if c := p.peek(); c == 0 || c == ';' {
		p.fail(p.pos, "expected a failure rule", "-1, != 0, < 0, null, or not 0 100 101")
		return
	}
	switch c := p.text[p.pos]; {
	case c == '!' && strings.HasPrefix(p.text[p.pos:], "!="):
		p.pos += 2
		h.Fail.Op = FailNE
	case c == '<':
		p.pos++
		h.Fail.Op = FailLT
	case c == 'n':
		at := p.pos
		switch p.ident() {
		case "null":
			h.Fail.Op = FailEQ
			return
		case "not":
			h.Fail.Op = FailNotIn
			p.failList(h)
			return
		default:
			p.fail(at, "expected a failure rule", "-1, != 0, < 0, null, or not 0 100 101")
			return
		}
	default:
		h.Fail.Op = FailEQ
	}
	h.Fail.Vals[0], _ = p.number()
}

// failList reads one to three numbers; the last fills the unused places.
func (p *protoParser) failList(h *Hook) {
	n := 0
	for ; p.err == nil && n < 4; n++ {
		c := p.peek()
		if c != '-' && (c < '0' || c > '9') {
			break
		}
		at := p.pos
		v, ok := p.number()
		if !ok {
			return
		}
		if n == 3 {
			p.fail(at, "at most three values", "")
			return
		}
		for i := n; i < 3; i++ {
			h.Fail.Vals[i] = v
		}
	}
	if n == 0 {
		p.fail(p.pos, "expected a number", "fails not 0 100 101")
	}
}
