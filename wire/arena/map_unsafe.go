package arena

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	headerSize   = uint64(unsafe.Sizeof(Header{}))
	procSize     = uint64(unsafe.Sizeof(Proc{}))
	threadSize   = uint64(unsafe.Sizeof(Thread{}))
	chunkSize    = uint64(unsafe.Sizeof(Chunk{}))
	siteSize     = uint64(unsafe.Sizeof(Site{}))
	histSize     = uint64(unsafe.Sizeof(Hist{}))
	handoverSize = uint64(unsafe.Sizeof(Handover{}))
	endSize      = uint64(unsafe.Sizeof(End{}))
	ruleSize     = uint64(unsafe.Sizeof(RuleState{}))
	noteSize     = uint64(unsafe.Sizeof(Note{}))
	parksSize    = uint64(unsafe.Sizeof(Parks{}))
	breakSize    = uint64(unsafe.Sizeof(Break{}))
	parkedSize   = uint64(unsafe.Sizeof(ParkedThread{}))
)

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// Map maps the arena behind a memfd that came from another process. It insists
// on the seal that keeps the file from shrinking: without it the other side
// could turn any of our loads into a SIGBUS. The descriptor may be closed
// afterwards.
func Map(fd int) (*Arena, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("stat arena: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("%w: not a regular file", ErrInvalid)
	}
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil {
		return nil, fmt.Errorf("get seals of arena: %w", err)
	}
	if seals&unix.F_SEAL_SHRINK == 0 {
		return nil, fmt.Errorf("%w: not sealed against shrinking", ErrInvalid)
	}
	if st.Size < int64(headerSize) || st.Size > maxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrInvalid, st.Size)
	}
	mem, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map arena: %w", err)
	}
	a, err := view(mem)
	if err != nil {
		unix.Munmap(mem)
		return nil, err
	}
	a.mapped = true
	return a, nil
}

// FromMemory is the view of an arena that this process has mapped already.
func FromMemory(p unsafe.Pointer, size uint64) (*Arena, error) {
	if p == nil || uintptr(p)%64 != 0 || size < headerSize || size > maxSize {
		return nil, fmt.Errorf("%w: %d bytes of memory", ErrInvalid, size)
	}
	return view(unsafe.Slice((*byte)(p), size))
}

// Close unmaps what Map mapped. Nothing cut from the arena may be used again.
func (a *Arena) Close() error {
	if !a.mapped {
		return nil
	}
	a.mapped = false
	return unix.Munmap(a.mem)
}

func cut[T any](mem []byte, off uint64, n uint64) []T {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&mem[off])), n)
}

func view(mem []byte) (*Arena, error) {
	head := (*Header)(unsafe.Pointer(&mem[0]))
	h := *head // the one copy everything is bounded from
	if err := check(&h, uint64(len(mem))); err != nil {
		return nil, err
	}
	a := &Arena{
		Info: Info{
			ID: h.Id, SpecHash: h.SpecHash, Size: h.Size, Policy: h.Policy, Clock: h.Clock,
			BlockNS: h.BlockNs, TSC0: h.Tsc0, Mono0: h.Mono0Ns, Real0: h.Real0Ns, ChunkSize: h.ChunkSize,
		},
		mem:      mem,
		head:     head,
		procs:    cut[Proc](mem, uint64(h.ProcsOff), uint64(h.Nprocs)),
		threads:  cut[Thread](mem, uint64(h.ThreadsOff), uint64(h.Nthreads)),
		chunks:   cut[Chunk](mem, uint64(h.MetasOff), uint64(h.Nchunks)),
		free:     cut[uint64](mem, uint64(h.FreeOff), (uint64(h.Nchunks)+63)/64),
		sites:    cut[Site](mem, uint64(h.SitesOff), uint64(h.Nsites)),
		defs:     cut[byte](mem, uint64(h.DefsOff), uint64(h.DefsSize)),
		counters: cut[uint64](mem, uint64(h.CountersOff), uint64(h.Nshards)*uint64(h.Nsites)),
		hists:    cut[Hist](mem, uint64(h.HistOff), uint64(h.NshardsHist)*uint64(h.Nhists)),
		nhists:   int(h.Nhists),
		rules:    cut[RuleState](mem, uint64(h.RulesOff), uint64(h.Nrules)),
		notes:    cut[Note](mem, uint64(h.RulesOff)+uint64(h.Nrules)*ruleSize, uint64(h.Nnotes)),
		ends:     cut[End](mem, uint64(h.EndsOff), uint64(h.Nends)),
		data:     cut[byte](mem, h.DataOff, uint64(h.Nchunks)*uint64(h.ChunkSize)),
	}
	if h.Nparks > 0 {
		a.parks = &cut[Parks](mem, uint64(h.ParksOff), 1)[0]
		a.breaks = cut[Break](mem, uint64(h.ParksOff)+parksSize, uint64(h.Nrules))
		a.parked = cut[ParkedThread](mem, uint64(h.ParksOff)+parksSize+uint64(h.Nrules)*breakSize, uint64(h.Nparks))
	}
	a.info = a.blob(h.InfoOff, h.InfoLen)
	return a, nil
}
