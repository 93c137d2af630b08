package hooks

// Brief is the hook as far as a report needs it, which is what a run makes whose
// events nobody gets: names of files, hosts and programs, descriptors, results. What
// a call stores, and what flags are called, is for those who read events. A pack of
// which the report tells more (SQL) is as it is.
func Brief(h *Hook) *Hook {
	if h.Pack == "sqlite" {
		return h
	}
	b := *h
	b.Args = append([]Arg(nil), h.Args...)
	for i := range b.Args {
		a := &b.Args[i]
		switch {
		case a.Type == TSockaddr:
		case a.Type == TStruct, a.Out, a.Secret:
			*a = Arg{Name: a.Name, Type: TPtr, Size: 8, Len: LenNone, Word: a.Word}
		case a.Type == TFlags, a.Type == TEnum, a.Type == TMode:
			*a = Arg{Name: a.Name, Type: TUint, Size: a.Size, Len: LenNone, Word: a.Word}
		}
	}
	return &b
}
