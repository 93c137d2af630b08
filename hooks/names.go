package hooks

// typeNames are the spellings of the stream (docs/protocol.md, probe).
var typeNames = [...]string{
	TInt: "int", TUint: "uint", TPtr: "ptr", TFD: "fd", TString: "string", TBuffer: "buffer",
	TFlags: "flags", TEnum: "enum", TSockaddr: "sockaddr", TStrv: "strv", TSQL: "sql", TFloat: "float",
	TVoid: "void", TStruct: "struct", TPid: "pid", TMode: "mode", TErrno: "errno", TVec: "array",
}

func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return "unknown"
}

// ParseType is the inverse of Type.String.
func ParseType(s string) (Type, bool) {
	for t, n := range typeNames {
		if n == s && n != "" {
			return Type(t), true
		}
	}
	return 0, false
}

func (i Instrument) String() string {
	switch i {
	case Log:
		return "log"
	case Count:
		return "count"
	case Hist:
		return "hist"
	}
	return "unknown"
}

func (c Cmp) String() string {
	switch c {
	case CmpEQ:
		return "=="
	case CmpNE:
		return "!="
	case CmpLT:
		return "<"
	case CmpLE:
		return "<="
	case CmpGT:
		return ">"
	case CmpGE:
		return ">="
	case CmpAnd:
		return "&"
	}
	return "?"
}

// String is the spelling of --on-full.
func (o OnFull) String() string {
	switch o {
	case DropOldest:
		return "drop-oldest"
	case DropNewest:
		return "drop-newest"
	case Block:
		return "block"
	}
	return "unknown"
}

// ParseOnFull is the inverse of OnFull.String.
func ParseOnFull(s string) (OnFull, bool) {
	for _, o := range []OnFull{DropOldest, DropNewest, Block} {
		if o.String() == s {
			return o, true
		}
	}
	return 0, false
}

func (s Start) String() string {
	switch s {
	case StartDemand:
		return "demand"
	case StartFirst:
		return "first"
	case StartNow:
		return "now"
	case StartNever:
		return "never"
	}
	return "unknown"
}

// ParseStart is the inverse of Start.String.
func ParseStart(s string) (Start, bool) {
	for _, v := range []Start{StartDemand, StartFirst, StartNow, StartNever} {
		if v.String() == s {
			return v, true
		}
	}
	return 0, false
}

// String returns the follow-exec setting's name on the command line.
func (f Follow) String() string {
	switch f {
	case FollowInherit:
		return "inherit"
	case FollowAlways:
		return "always"
	case FollowNever:
		return "never"
	}
	return "unknown"
}

// ParseFollow is the inverse of Follow.String.
func ParseFollow(s string) (Follow, bool) {
	for _, v := range []Follow{FollowInherit, FollowAlways, FollowNever} {
		if v.String() == s {
			return v, true
		}
	}
	return 0, false
}
