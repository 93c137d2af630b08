package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report as one indented JSON object; see Report for its
// keys. Lists are never null.
func (r *Report) WriteJSON(w io.Writer) error {
	c := *r
	nonNil(&c.Functions)
	nonNil(&c.SQL)
	nonNil(&c.Files)
	nonNil(&c.Hosts)
	nonNil(&c.Processes)
	nonNil(&c.InFlight)
	nonNil(&c.Refusals)
	nonNil(&c.Errors)
	nonNil(&c.Cut)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(&c)
}

func nonNil[T any](l *[]T) {
	if *l == nil {
		*l = []T{}
	}
}
