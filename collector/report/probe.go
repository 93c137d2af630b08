package report

import (
	"slices"

	"github.com/seam-project/seam/wire"
)

// A Probe is the meaning of a probe id: one instrumented function. Probes of
// different processes that are the same function share one value. Callers must
// not change it.
type Probe struct {
	Name  string // function
	Lib   string // file name of the object it is in
	Pack  string // "" when none
	Kind  string // "call", "entry", "count", "hist"
	Args  []wire.ArgDef
	Ret   wire.ArgDef
	Errno bool // errno means something when the call failed

	gone bool // replaces the program when it succeeds: no return is not news
	role role
	fd   int // index of the descriptor argument, -1 none
	text int // index of the path, host name or address argument, -1 none
	dir  int // index of the directory descriptor before the path, -1 none
}

// A role is what a call means for files and hosts.
type role uint8

const (
	roleNone    role = iota
	roleOpen         // path -> descriptor
	rolePath         // names a path
	roleRead         // bytes from a descriptor
	roleWrite        // bytes to a descriptor
	roleClose        // ends a descriptor
	roleDup          // descriptor -> descriptor
	roleConnect      // descriptor, address
	roleBind         // descriptor, address
	roleAccept       // descriptor -> descriptor, address
	roleSocket       // -> descriptor
	roleLookup       // host name
	roleFork         // -> process with this one's descriptors
)

// names lists the functions whose role does not follow from the types of their
// arguments.
var names = map[string]role{
	"read": roleRead, "pread": roleRead, "pread64": roleRead, "readv": roleRead, "preadv": roleRead, "preadv64": roleRead,
	"preadv2": roleRead, "recv": roleRead, "recvfrom": roleRead, "recvmsg": roleRead,
	"__read_chk": roleRead, "__pread_chk": roleRead, "__recv_chk": roleRead, "__recvfrom_chk": roleRead,
	"write": roleWrite, "pwrite": roleWrite, "pwrite64": roleWrite, "writev": roleWrite, "pwritev": roleWrite, "pwritev64": roleWrite,
	"pwritev2": roleWrite, "send": roleWrite, "sendto": roleWrite, "sendmsg": roleWrite,
	"close": roleClose, "closefrom": roleNone,
	"dup": roleDup, "dup2": roleDup, "dup3": roleDup,
	"connect": roleConnect, "bind": roleBind, "accept": roleAccept, "accept4": roleAccept,
	"socket": roleSocket, "getaddrinfo": roleLookup, "gethostbyname": roleLookup, "gethostbyname2": roleLookup,
	"open": roleOpen, "open64": roleOpen, "openat": roleOpen, "openat64": roleOpen, "creat": roleOpen, "creat64": roleOpen,
	"fork": roleFork, "_Fork": roleFork, "vfork": roleFork,
	"__open_2": roleOpen, "__open64_2": roleOpen, "__openat_2": roleOpen, "__openat64_2": roleOpen,
}

func newProbe(d *wire.ProbeDef) *Probe {
	p := &Probe{Name: d.Name, Lib: d.Lib, Pack: d.Pack, Kind: d.Kind, Args: slices.Clone(d.Args), Ret: d.Ret, Errno: d.Errno,
		gone: execs(d.Name), fd: -1, text: -1, dir: -1}
	if d.Kind == "count" || d.Kind == "hist" {
		return p
	}
	path, addr, str := -1, -1, -1
	for i, a := range d.Args {
		switch {
		case a.Type == "fd":
			if p.fd < 0 {
				p.fd = i
			}
		case a.Type == "sockaddr" && addr < 0:
			addr = i
		case a.Type == "string" && !a.Out:
			if str < 0 {
				str = i
			}
			if path < 0 && pathName(a.Name) {
				path = i
			}
		}
	}
	r, known := names[d.Name]
	switch {
	case d.Pack != "" && d.Pack != "file" && d.Pack != "net" && d.Pack != "proc":
		return p // another library's function of the same name
	case !known && path >= 0 && d.Pack == "file":
		r = rolePath
		if d.Ret.Type == "fd" {
			r = roleOpen
		}
	}
	switch r {
	case roleOpen, rolePath:
		if p.text = path; p.text < 0 {
			p.text = str
		}
		if p.text > 0 && d.Args[p.text-1].Type == "fd" {
			p.dir = p.text - 1
		}
	case roleLookup:
		p.text = str
	case roleConnect, roleBind, roleAccept, roleRead, roleWrite:
		p.text = addr
	}
	switch r {
	case roleOpen, rolePath, roleLookup:
		if p.text < 0 {
			r = roleNone
		}
	case roleConnect, roleBind:
		if p.fd < 0 || p.text < 0 {
			r = roleNone
		}
	case roleRead, roleWrite, roleClose, roleDup, roleAccept:
		if p.fd < 0 {
			r = roleNone
		}
	}
	p.role = r
	return p
}

// Native tells what a Stream needs of a probe's calls, if nobody else looks at them: Call takes them in
// the native form then.
func Native(d *wire.ProbeDef) wire.Native {
	p := newProbe(d)
	n := wire.Native{OK: true, Text: -1}
	switch p.role {
	case roleNone:
	case roleRead, roleWrite:
		n.First, n.OK = true, p.fd == 0 && p.text < 0
	case roleClose:
		n.First, n.OK = true, p.fd == 0
	case roleFork:
		n.Ret = true
	case roleOpen, rolePath:
		n.Text, n.Rooted = int8(p.text), p.dir >= 0
		n.OK = !d.Args[p.text].Out
	default:
		n.OK = false
	}
	return n
}

func pathName(s string) bool {
	switch s {
	case "path", "pathname", "file", "filename", "name", "oldpath", "newpath", "target", "linkpath", "from", "to", "old", "new":
		return true
	}
	return false
}

// same tells whether d means what p means.
func (p *Probe) same(d *wire.ProbeDef) bool {
	return p.Name == d.Name && p.Lib == d.Lib && p.Kind == d.Kind && p.Pack == d.Pack && p.Errno == d.Errno &&
		p.Ret == d.Ret && slices.Equal(p.Args, d.Args)
}

func execs(name string) bool {
	switch name {
	case "execve", "execveat", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve":
		return true
	}
	return false
}
