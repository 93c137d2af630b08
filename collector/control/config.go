package control

import (
	"fmt"
	"path/filepath"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/seam-project/seam/hooks/yamlfile"
)

// ReadConfig reads a file of probes:
//
//	probes:
//	  - libc:open*                  # as -p
//	  - probe: libsqlite3:sqlite3_step slower 5ms
//	    for: 10m                    # from when it was first read
//	    calls: 10000
//	hooks: [net, proc]              # as -H
//
// All of it must be right, or there is a yamlfile.Error and no probes.
func ReadConfig(file string) ([]*Probe, error) {
	c := config{now: time.Now()}
	if err := yamlfile.Read(file, c.top); err != nil {
		return nil, err
	}
	return c.probes, nil
}

// ParseConfig is ReadConfig of a text.
func ParseConfig(file string, text []byte, now time.Time) ([]*Probe, error) {
	c := config{now: now}
	if err := yamlfile.Parse(file, text, c.top); err != nil {
		return nil, err
	}
	return c.probes, nil
}

type config struct {
	*yamlfile.Reader
	now    time.Time
	probes []*Probe
}

func (c *config) top(r *yamlfile.Reader, n *yaml.Node) {
	c.Reader = r
	r.Fields(n, yamlfile.Key{Name: "probes", Read: c.list}, yamlfile.Key{Name: "hooks", Read: c.packs})
}

func (c *config) list(n *yaml.Node) { c.Items(n, c.entry) }

func (c *config) packs(n *yaml.Node) {
	c.Items(n, func(v *yaml.Node) {
		name, ok := c.Scalar(v)
		if !ok {
			return
		}
		p, err := NewPack(name)
		if err != nil {
			e, _ := err.(*Error)
			c.Fail(v, 0, e.Msg, e.Hint)
			return
		}
		c.add(p)
	})
}

func (c *config) add(p *Probe) {
	p.By, p.Added = c.File, c.now
	c.probes = append(c.probes, p)
}

func (c *config) entry(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		if p := c.probe(n); p != nil {
			c.add(p)
		}
		return
	}
	var p *Probe
	lives, calls := time.Duration(0), uint64(0)
	c.Fields(n,
		yamlfile.Key{Name: "probe", Read: func(v *yaml.Node) { p = c.probe(v) }},
		yamlfile.Key{Name: "for", Read: func(v *yaml.Node) {
			text, ok := c.Scalar(v)
			if !ok {
				return
			}
			d, err := time.ParseDuration(text)
			if err != nil || d <= 0 {
				c.Fail(v, 0, fmt.Sprintf("not a time: '%s'", text), "a number with a unit: 30s, 10m, 2h")
			}
			lives = d
		}},
		yamlfile.Key{Name: "calls", Read: func(v *yaml.Node) {
			if v.Decode(&calls) != nil || calls == 0 {
				c.Fail(v, 0, fmt.Sprintf("not a number of calls: '%s'", v.Value), "a number from 1")
			}
		}})
	switch {
	case c.Err != nil:
	case p == nil:
		c.Fail(n, 0, "an entry without a probe", "probe: libc:open*")
	default:
		p.Calls = calls
		c.add(p)
		if lives > 0 {
			p.lives = lives
			p.Until = c.now.Add(lives)
		}
	}
}

func (c *config) probe(n *yaml.Node) *Probe {
	text, ok := c.Scalar(n)
	if !ok {
		return nil
	}
	p, err := NewProbe(text, filepath.Dir(c.File))
	if err != nil {
		c.FailText(n, err)
		return nil
	}
	return p
}
