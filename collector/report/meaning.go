package report

import (
	"strings"

	"github.com/seam-project/seam/wire"
)

// What calls say about files and hosts. o is the call's enter, when it came
// apart from its return.

const (
	atFDCWD     = -100
	einprogress = 115
	eagain      = 11
)

func (s *Stream) meaning(p *Probe, ev *wire.Event, o *openCall) {
	fd := int64(-1)
	if p.fd >= 0 && p.fd < len(ev.Args) && ev.Args[p.fd].Kind == wire.VInt {
		fd = ev.Args[p.fd].Int
	} else if o != nil {
		fd = o.fd
	}
	ret := int64(-1)
	if ev.Ret.Kind == wire.VInt {
		ret = ev.Ret.Int
	}
	switch p.role {
	case roleOpen, rolePath:
		name := s.named(p, ev, o)
		if len(name) == 0 {
			return
		}
		s.path(p, s.resolve(p, ev, name), ret, ret >= 0, ev.Dur, ev.Err)
	case roleRead, roleWrite:
		if len(ev.Args) > 0 && p.text >= 0 {
			if addr := s.named(p, ev, o); len(addr) > 0 { // sendto, recvfrom with an address
				h := s.host(addr)
				if ev.Err == 0 && ret > 0 {
					if p.role == roleRead {
						h.received += uint64(ret)
					} else {
						h.sent += uint64(ret)
					}
				} else if ev.Err != 0 && ev.Err != eagain {
					h.fail(ev.Err)
				}
				return
			}
		}
		s.moved(p, fd, ret, ev.Dur, ev.Err)
	case roleClose:
		if s.fds != nil { // even when it fails, the descriptor is gone
			s.fds.set1(fd, fdEnt{})
		}
	case roleDup:
		if ev.Err != 0 || ret < 0 || s.fds == nil {
			return
		}
		e := fdEnt{}
		if old := s.fds.get(fd); old != nil {
			e = *old
		}
		s.fds.set(ret, e)
	case roleSocket:
		if ev.Err == 0 && ret >= 0 {
			s.table().set(ret, fdEnt{sock: true})
		}
	case roleConnect, roleBind:
		addr := s.named(p, ev, o)
		if len(addr) == 0 {
			return
		}
		h := s.host(addr)
		h.total += ev.Dur
		if p.role == roleBind {
			h.binds++
		} else {
			h.connects++
			if ev.Err == 0 || ev.Err == einprogress {
				s.table().set(fd, fdEnt{host: h, sock: true})
			}
		}
		if ev.Err != 0 && ev.Err != einprogress {
			h.fail(ev.Err)
		}
	case roleAccept:
		if ev.Err != 0 || ret < 0 {
			return
		}
		e := fdEnt{sock: true}
		if addr := s.named(p, ev, o); len(addr) > 0 {
			e.host = s.host(withoutPort(addr)) // the port is the client's, a new one each time
			e.host.accepts++
		}
		s.table().set(ret, e)
	case roleFork:
		s.forked(ret)
	case roleLookup:
		name := s.named(p, ev, o)
		if len(name) == 0 {
			return
		}
		h := s.host(name)
		h.lookups++
		h.total += ev.Dur
		if ev.Err != 0 {
			h.fail(ev.Err)
		}
	}
}

// forked gives a child the descriptors that its parent has at this point of its calls, rather than those
// it had when the child was told of: what stands before the batch knows less. Unless the child's own
// calls came first.
func (s *Stream) forked(child int64) {
	if child <= 0 || child > 1<<31 || s.fds == nil {
		return
	}
	if t := s.carry.fds[uint32(child)]; t == nil || !t.used {
		s.keep(s.fds.clone(uint32(child)))
	}
}

// path adds a call that named a file; ret is a number if known.
func (s *Stream) path(p *Probe, name []byte, ret int64, known bool, dur int64, errno int32) {
	f := s.file(name)
	f.total += dur
	if p.role == rolePath {
		f.other++
	} else {
		f.opens++
	}
	if errno != 0 {
		f.fail(errno)
	} else if p.role == roleOpen && known && ret >= 0 {
		s.table().set(ret, fdEnt{file: f})
	}
}

// set1 is set for a descriptor that may lie outside the table: nothing then.
func (t *fdTab) set1(fd int64, e fdEnt) {
	if p := t.get(fd); p != nil {
		*p = e
	}
}

// standard names the descriptors a process is born with.
var standard = [3][]byte{[]byte("<stdin>"), []byte("<stdout>"), []byte("<stderr>")}

// moved adds the bytes that went through a descriptor.
func (s *Stream) moved(p *Probe, fd, n, dur int64, errno int32) {
	var e fdEnt
	if s.fds != nil {
		if q := s.fds.get(fd); q != nil {
			e = *q
		}
	}
	if e.file == nil && e.host == nil {
		if e.sock || fd < 0 || fd >= int64(len(standard)) {
			return
		}
		e.file = s.file(standard[fd])
		s.table().set(fd, e)
	}
	if f := e.file; f != nil {
		f.total += dur
		if p.role == roleRead {
			f.reads++
			if n > 0 {
				f.read += uint64(n)
			}
		} else {
			f.writes++
			if n > 0 {
				f.writen += uint64(n)
			}
		}
		if errno != 0 && errno != eagain {
			f.fail(errno)
		}
		return
	}
	h := e.host
	if n > 0 {
		if p.role == roleRead {
			h.received += uint64(n)
		} else {
			h.sent += uint64(n)
		}
	}
	if errno != 0 && errno != eagain {
		h.fail(errno)
	}
}

func (s *Stream) file(path []byte) *fileStat {
	if len(path) > maxText {
		path = path[:maxText]
	}
	f := s.files.at(path)
	if f.path == "" && f != &s.files.other {
		f.path = string(path)
	}
	return f
}

func (s *Stream) host(addr []byte) *hostStat {
	if len(addr) > maxText {
		addr = addr[:maxText]
	}
	h := s.hosts.at(addr)
	if h.addr == "" && h != &s.hosts.other {
		h.addr = string(addr)
	}
	return h
}

// adopt makes the descriptors of the connection before this one's own: they
// pointed at what that connection gathered.
func (s *Stream) adopt() {
	for _, t := range s.carry.fds {
		for i := range t.ents {
			e := &t.ents[i]
			switch {
			case e.file != nil && e.file.path != "":
				e.file = s.file([]byte(e.file.path))
			case e.host != nil && e.host.addr != "":
				e.host = s.host([]byte(e.host.addr))
			default:
				e.file, e.host = nil, nil
			}
		}
	}
}

// maxText bounds a path or address, bytes.
const maxText = 4096

// named returns the path, name or address of a call; valid until the next use
// of s.key.
func (s *Stream) named(p *Probe, ev *wire.Event, o *openCall) []byte {
	if t := s.text(p, ev.Args); len(t) > 0 {
		return t
	}
	if o != nil && o.text != "" {
		s.key = append(s.key[:0], o.text...)
		return s.key
	}
	return nil
}

func (s *Stream) text(p *Probe, args []wire.Value) []byte {
	if p.text < 0 || p.text >= len(args) {
		return nil
	}
	switch v := &args[p.text]; v.Kind {
	case wire.VStr:
		return v.Str
	case wire.VMap:
		s.key = appendAddr(s.key[:0], v.List)
		return s.key
	}
	return nil
}

// resolve puts a relative path behind its directory's, when that is known.
func (s *Stream) resolve(p *Probe, ev *wire.Event, name []byte) []byte {
	if p.dir < 0 || p.dir >= len(ev.Args) || name[0] == '/' || s.fds == nil {
		return name
	}
	v := &ev.Args[p.dir]
	if v.Kind != wire.VInt || v.Int == atFDCWD {
		return name
	}
	e := s.fds.get(v.Int)
	if e == nil || e.file == nil {
		return name
	}
	dir := e.file.path
	if dir == "" {
		return name
	}
	full := append(append(make([]byte, 0, len(dir)+1+len(name)), strings.TrimSuffix(dir, "/")...), '/')
	return append(full, name...)
}

// appendAddr appends a decoded address, as host:port, path or family.
func appendAddr(b []byte, kv []wire.Value) []byte {
	var host, path, family []byte
	port := int64(-1)
	for i := 0; i+1 < len(kv); i += 2 {
		v := &kv[i+1]
		switch string(kv[i].Str) {
		case "addr", "host", "ip", "address":
			host = v.Str
		case "port":
			if v.Kind == wire.VInt {
				port = v.Int
			}
		case "path", "name":
			path = v.Str
		case "family":
			family = v.Str
		}
	}
	switch {
	case len(host) > 0:
		v6 := false
		for _, c := range host {
			v6 = v6 || c == ':'
		}
		if v6 && port >= 0 {
			b = append(append(append(b, '['), host...), ']')
		} else {
			b = append(b, host...)
		}
		if port >= 0 {
			b = appendInt(append(b, ':'), port)
		}
	case len(path) > 0:
		b = append(b, path...)
	default:
		b = append(b, family...)
	}
	return b
}

// withoutPort cuts the port from host:port.
func withoutPort(addr []byte) []byte {
	for i := len(addr) - 1; i > 0; i-- {
		if addr[i] == ':' {
			if addr[i-1] == ']' || !containsByte(addr[:i], ':') {
				return addr[:i]
			}
			return addr
		}
		if addr[i] < '0' || addr[i] > '9' {
			return addr
		}
	}
	return addr
}

func containsByte(b []byte, c byte) bool {
	for _, x := range b {
		if x == c {
			return true
		}
	}
	return false
}
