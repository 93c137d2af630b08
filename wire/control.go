package wire

// Messages that a reader may send on an agent's connection; see docs/protocol.md.
// The agent answers each with a status message.
const (
	MsgStatus = 11 // from the agent
	MsgRespec = 20 // watch what another spec file asks for
	MsgDetach = 21 // the same, then say bye and be silent
)

// Control is what a reader asks of an agent.
type Control struct {
	Type int    // MsgRespec, MsgDetach
	N    uint64 // number of the request, for the answer
	Spec string // path of the spec file
}

// States of a probe in a process.
const (
	ProbeApplied = "applied" // functions are patched for it
	ProbeDormant = "dormant" // it names nothing that is loaded
	ProbeRefused = "refused" // what it names can't be patched
)

// ProbeStatus is what became of one probe of a spec.
type ProbeStatus struct {
	State   string
	IDs     []uint32 // of the functions that are patched, as in the stream
	Refused int      // functions that are not
	Reason  string   // why the first of them is not
	Detail  string   // which one that is
}

// Status says what became of a spec in a process.
type Status struct {
	N      uint64 // the request, 0 when nobody asked
	Spec   uint64 // hash of the spec that is in force now
	Error  string // why it is not the one that was asked for
	Probes []ProbeStatus
}

// StatusHandler may be implemented by a Handler.
type StatusHandler interface{ Status(t int64, s *Status) }

// AppendControl appends a request.
func AppendControl(b []byte, c *Control) []byte {
	b = append(b, 0x93)
	b = AppendInt(b, int64(c.Type))
	b = AppendUint(b, c.N)
	b = AppendMap(b, 1)
	return appendKeyString(b, "spec", c.Spec)
}

// DecodeControl decodes the request at the start of b and returns its size; 0
// when it is not whole yet, an error when it is none. Requests of unknown type are
// returned as they are.
func DecodeControl(b []byte, c *Control) (size int, err error) {
	end := skip(b, 0)
	if end < 0 {
		if len(b) > maxCold {
			return 0, ErrTooLarge
		}
		if len(b) > 0 && b[0]&0xf0 != 0x90 {
			return 0, ErrSyntax
		}
		return 0, nil
	}
	n, i := array(b, 0)
	if i < 0 || n < 3 {
		return 0, ErrSyntax
	}
	*c = Control{}
	i = num(b, i, &c.Type)
	if i < 0 {
		return 0, ErrSyntax
	}
	if i = num(b, i, &c.N); i < 0 {
		return 0, ErrSyntax
	}
	if i = pairs(b, i, func(key string, i int) int {
		if key == "spec" {
			return str(b, i, &c.Spec)
		}
		return 0
	}); i < 0 {
		return 0, ErrSyntax
	}
	return end, nil
}

// AppendStatus appends a status message.
func AppendStatus(b []byte, t int64, s *Status) []byte {
	b = append(b, 0x93, MsgStatus)
	b = AppendInt(b, t)
	n := 3
	if s.Error != "" {
		n++
	}
	b = AppendMap(b, n)
	b = appendKeyUint(b, "n", s.N)
	b = appendKeyUint(b, "spec", s.Spec)
	if s.Error != "" {
		b = appendKeyString(b, "error", s.Error)
	}
	b = AppendArray(AppendString(b, "probes"), len(s.Probes))
	for i := range s.Probes {
		p := &s.Probes[i]
		b = AppendString(append(b, 0x95), p.State)
		b = AppendArray(b, len(p.IDs))
		for _, id := range p.IDs {
			b = AppendUint(b, uint64(id))
		}
		b = AppendInt(b, int64(p.Refused))
		b = AppendString(b, p.Reason)
		b = AppendString(b, p.Detail)
	}
	return b
}

func status(b []byte, i, n int, h Handler) int {
	if n < 3 {
		return -1
	}
	var t int64
	if i = num(b, i, &t); i < 0 {
		return -1
	}
	var s Status
	i = pairs(b, i, func(key string, i int) int {
		switch key {
		case "n":
			return num(b, i, &s.N)
		case "spec":
			return num(b, i, &s.Spec)
		case "error":
			return str(b, i, &s.Error)
		case "probes":
			n, i := array(b, i)
			if n > maxItems {
				return -1
			}
			for ; n > 0 && i >= 0; n-- {
				var p ProbeStatus
				i = probeStatus(b, i, &p)
				s.Probes = append(s.Probes, p)
			}
			return i
		}
		return 0
	})
	if i = skipN(b, i, n-3); i >= 0 {
		if sh, ok := h.(StatusHandler); ok {
			sh.Status(t, &s)
		}
	}
	return i
}

func probeStatus(b []byte, i int, p *ProbeStatus) int {
	n, i := array(b, i)
	if i < 0 || n < 5 {
		return -1
	}
	if i = str(b, i, &p.State); i < 0 {
		return -1
	}
	ids, i := array(b, i)
	if i < 0 || ids > maxItems {
		return -1
	}
	for ; ids > 0; ids-- {
		var id uint32
		if i = num(b, i, &id); i < 0 {
			return -1
		}
		p.IDs = append(p.IDs, id)
	}
	if i = num(b, i, &p.Refused); i < 0 {
		return -1
	}
	if i = str(b, i, &p.Reason); i < 0 {
		return -1
	}
	if i = str(b, i, &p.Detail); i < 0 {
		return -1
	}
	return skipN(b, i, n-5)
}
