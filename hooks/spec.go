package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a spec.
const (
	MinBuffer  = 64 << 10
	MaxBuffer  = 1 << 30
	MaxBlockMS = 60000
	MaxProbes  = 4096
	maxSpec    = 4 << 20 // bytes of a spec file
)

const specMagic = "seam-spec 1"

// Defaults of a spec's settings.
const (
	DefaultBuffer  = 8 << 20
	DefaultBlockMS = 100
)

// NewSpec is a spec with no probes and every setting at its default.
func NewSpec() *Spec {
	return &Spec{Buffer: DefaultBuffer, BlockMS: DefaultBlockMS}
}

// Check reports the first thing in the spec that can't be.
func (s *Spec) Check() error {
	switch {
	case s.OnFull > Block:
		return fmt.Errorf("check spec: unknown full-policy %d", s.OnFull)
	case s.Start > StartNever:
		return fmt.Errorf("check spec: unknown start %d", s.Start)
	case s.Follow > FollowNever:
		return fmt.Errorf("check spec: unknown follow-exec %d", s.Follow)
	case s.OnFull == Block && (s.BlockMS < 1 || s.BlockMS > MaxBlockMS):
		return fmt.Errorf("check spec: a call may wait 1 to %d ms, not %d", MaxBlockMS, s.BlockMS)
	case s.BlockMS < 0 || s.BlockMS > MaxBlockMS:
		return fmt.Errorf("check spec: a call may wait at most %d ms, not %d", MaxBlockMS, s.BlockMS)
	case s.Buffer < MinBuffer || s.Buffer > MaxBuffer:
		return fmt.Errorf("check spec: the buffer is %d bytes to %d, not %d", MinBuffer, MaxBuffer, s.Buffer)
	case len(s.Probes) > MaxProbes:
		return fmt.Errorf("check spec: %d probes; at most %d", len(s.Probes), MaxProbes)
	case len(s.Until) > 0 && slices.Max(slices.Collect(maps.Keys(s.Until))) >= len(s.Probes):
		return errors.New("check spec: a lifespan of a probe that is not there")
	case strings.ContainsAny(s.Plans+s.Planner, "\n\x00"):
		return errors.New("check spec: a line break in the path of the plan cache or the planner")
	}
	for _, text := range s.Protos {
		if _, err := UserProto(text); err != nil {
			return fmt.Errorf("check spec: prototype %w", err)
		}
	}
	if len(s.Rules) > MaxRules {
		return fmt.Errorf("check spec: %d rules; at most %d", len(s.Rules), MaxRules)
	}
	for i := range s.Rules {
		if err := s.Rules[i].check(); err != nil {
			return fmt.Errorf("check spec: rule %q: %w", s.Rules[i].Text, err)
		}
	}
	for _, dir := range s.Debug {
		if !filepath.IsAbs(dir) || strings.ContainsRune(dir, 0) || !utf8.ValidString(dir) {
			return fmt.Errorf("check spec: the folder of debug files %q is not absolute", dir)
		}
	}
	for i := range s.Probes {
		if n := s.Probes[i].Rule; n < 0 || n > len(s.Rules) {
			return fmt.Errorf("check spec: probe %q: there is no rule %d", s.Probes[i].Text, n)
		}
		if err := s.Probes[i].check(); err != nil {
			return fmt.Errorf("check spec: probe %q: %w", s.Probes[i].Text, err)
		}
	}
	return nil
}

func (p *Probe) check() error {
	switch {
	case p.Sym == "":
		return errors.New("no function")
	case p.Instrument < Log || p.Instrument > Hist:
		return fmt.Errorf("unknown instrument %d", p.Instrument)
	case !utf8.ValidString(p.Text + p.Lib + p.Sym + p.Pack + p.Has + p.As):
		return errors.New("not UTF-8 text")
	case strings.ContainsAny(p.Lib+p.Has, "\n\x00"):
		return errors.New("a line break in the object's name")
	case p.Sym[0] == '+' && !isOffset(p.Sym):
		return fmt.Errorf("%q is not an address", p.Sym)
	case strings.ContainsRune(p.Lib, '/') && !filepath.IsAbs(p.Lib):
		return fmt.Errorf("the path %q is not absolute", p.Lib)
	case len(p.Filters) > MaxFilters:
		return fmt.Errorf("%d conditions; at most %d", len(p.Filters), MaxFilters)
	}
	for _, f := range p.Filters {
		if f.Kind < FilterInt || f.Kind > FilterShape || f.Cmp > CmpAnd || len(f.Str) > 64 || len(f.Set) > maxSet || !utf8.ValidString(f.Str+f.Arg) {
			return errors.New("malformed condition")
		}
	}
	return nil
}

// body is the JSON that identifies the spec: without where it is read and
// written, and without when rules act, for which no other plan is needed.
func (s *Spec) body() ([]byte, error) {
	c := *s
	c.Socket, c.Plans, c.Planner = "", "", ""
	c.Probes = append([]Probe{}, c.Probes...)
	for i := range c.Probes {
		if c.Probes[i].Rule > 0 {
			c.Probes[i].Text = ""
		}
	}
	c.Rules = slices.Clone(c.Rules)
	for i := range c.Rules {
		c.Rules[i].withoutWhen()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(&c); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Hash identifies what a spec asks for.
func (s *Spec) Hash() uint64 {
	b, err := s.body()
	if err != nil {
		return 0 // not reached: a Spec has nothing that JSON can't hold
	}
	return FNV1a(b)
}

// FNV1a is the 64-bit FNV-1a hash, which the core computes too.
func FNV1a(b []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return h
}

// Encode writes the spec file: lines for the core, then the whole as JSON.
func (s *Spec) Encode() ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	body, err := s.body()
	if err != nil {
		return nil, fmt.Errorf("encode spec: %w", err)
	}
	var b []byte
	b = fmt.Appendf(b, "%s\nhash %016x\nbuffer %d\non-full %d\nblock-ms %d\nstart %d\nplans %s\n",
		specMagic, FNV1a(body), s.Buffer, s.OnFull, s.BlockMS, s.Start, s.Plans)
	if s.Follow != FollowInherit {
		b = fmt.Appendf(b, "follow-exec %d\n", s.Follow)
	}
	if s.Planner != "" {
		b = fmt.Appendf(b, "planner %s\n", s.Planner)
	}
	for i := range s.Rules {
		b = s.Rules[i].appendLine(b)
		b = s.Rules[i].Native.appendLine(b)
	}
	if s.Control {
		b = append(b, "control 1\n"...)
	}
	for _, i := range slices.Sorted(maps.Keys(s.Until)) {
		b = fmt.Appendf(b, "until %d %d\n", i, s.Until[i])
	}
	libs, paths := s.Globs()
	for _, l := range libs {
		b = fmt.Appendf(b, "lib %s\n", l)
	}
	for _, p := range paths {
		b = fmt.Appendf(b, "path %s\n", p)
	}
	for _, name := range s.Defines() {
		b = fmt.Appendf(b, "has %s\n", name)
	}
	b = append(append(append(b, "json "...), body...), '\n')
	if len(b) > maxSpec {
		return nil, fmt.Errorf("encode spec: %d bytes; at most %d", len(b), maxSpec)
	}
	return b, nil
}

// Globs are the objects the core must load a plan for. libc is always one of
// them: the core guards its own mappings through libc's plan.
func (s *Spec) Globs() (libs, paths []string) {
	libs = []string{"libc.so*"}
	for i := range s.Probes {
		if s.Probes[i].anyWith() {
			continue // see Defines
		}
		l, p := LibGlobs(s.Probes[i].Lib)
		for _, g := range l {
			if !slices.Contains(libs, g) {
				libs = append(libs, g)
			}
		}
		for _, g := range p {
			if !slices.Contains(paths, g) {
				paths = append(paths, g)
			}
		}
	}
	return libs, paths
}

// anyWith: the probe is for whichever object defines a function.
func (p *Probe) anyWith() bool { return p.Has != "" && p.Lib == "" }

// Defines are functions: the core must load a plan for objects that define
// one of them, too.
func (s *Spec) Defines() (names []string) {
	for i := range s.Probes {
		if p := &s.Probes[i]; p.anyWith() && !slices.Contains(names, p.Has) {
			names = append(names, p.Has)
		}
	}
	return names
}

// ParseSpec reads a spec file. What the lines and the JSON both say is taken
// from the JSON, whose hash must be right.
func ParseSpec(b []byte) (*Spec, error) {
	if len(b) > maxSpec {
		return nil, fmt.Errorf("parse spec: %d bytes; at most %d", len(b), maxSpec)
	}
	rest, ok := bytes.CutPrefix(b, []byte(specMagic+"\n"))
	if !ok {
		return nil, errors.New("parse spec: does not begin with " + specMagic)
	}
	var s Spec
	var plans, planner, hash, body []byte
	var rules, natives []string
	for len(rest) > 0 {
		line, tail, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return nil, errors.New("parse spec: the last line is cut")
		}
		rest = tail
		key, val, _ := bytes.Cut(line, []byte(" "))
		switch string(key) {
		case "hash":
			hash = val
		case "plans":
			plans = val
		case "planner":
			planner = val
		case "control":
			s.Control = string(val) == "1"
		case "until":
			var i int
			var at int64
			if n, _ := fmt.Sscanf(string(val), "%d %d", &i, &at); n != 2 || i < 0 || i >= MaxProbes {
				return nil, errors.New("parse spec: no such lifespan")
			}
			if s.Until == nil {
				s.Until = map[int]int64{}
			}
			s.Until[i] = at
		case "rule":
			rules = append(rules, string(val))
			natives = append(natives, "")
		case "native":
			if len(natives) == 0 {
				return nil, errors.New("parse spec: a callback before its rule")
			}
			natives[len(natives)-1] = string(val)
		case "json":
			body = val
		}
	}
	if body == nil {
		return nil, errors.New("parse spec: no json line")
	}
	want, err := strconv.ParseUint(string(hash), 16, 64)
	if err != nil || FNV1a(body) != want {
		return nil, errors.New("parse spec: the hash does not match")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("parse spec: %w", err)
	}
	s.Socket, s.Plans, s.Planner = "", string(plans), string(planner)
	if len(rules) != len(s.Rules) {
		return nil, errors.New("parse spec: the rules and their lines are not as many")
	}
	for i := range rules {
		if !s.Rules[i].parseLine(rules[i]) || !s.Rules[i].Native.parseLine(natives[i]) {
			return nil, fmt.Errorf("parse spec: rule %d", i+1)
		}
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	// The hash of the value must be that of the text: plans are made for it.
	if s.Hash() != want {
		return nil, errors.New("parse spec: the json line is not in canonical form")
	}
	return &s, nil
}
