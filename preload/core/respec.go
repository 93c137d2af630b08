package core

/*
#include <stdlib.h>
#include "core.h"
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Errors of Respec: nothing was changed.
var (
	ErrBadSpec  = errors.New("not a spec file")
	ErrConfined = errors.New("the process has forbidden itself system calls")
	ErrBusy     = errors.New("a library is being loaded, or another change is under way")
	ErrMemory   = errors.New("no memory")
)

// SiteState is one function that a spec asks for in this process.
type SiteState struct {
	Object, Symbol string
	Probe          int   // index in the spec's probes
	ID             int   // in the arena's site table; -1: none
	Reason         uint8 // 0: it is patched; else why not (plan.Reason)
}

// PlanRefusals is what the plan of one object refuses: msgpack, as in the plan.
type PlanRefusals struct {
	Object string
	Packed []byte
}

// Applied is what came of Respec.
type Applied struct {
	Hash     uint64 // of the spec that is in force now
	Sites    []SiteState
	Refusals []PlanRefusals
}

// Respec makes what is patched in this process equal to the spec file at path,
// while its threads run, and tells the processes that share its arena to do the same. When it
// returns, each call that begins from then on is recorded as the spec says, and
// none otherwise. It may take a second where plans have to be made. An agent's thread only.
func Respec(path string) (Applied, error) {
	runtime.LockOSThread() // it holds the loader's lock for moments: Hold is of a thread
	defer runtime.UnlockOSThread()
	Hold()
	defer Unhold()
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	var out *C.struct_seam_outcome
	rc := C.seam_respec(p, &out)
	defer C.seam_outcome_free(out)
	if rc != C.SEAM_RESPEC_DONE {
		err := map[C.int]error{C.SEAM_RESPEC_BAD_SPEC: ErrBadSpec, C.SEAM_RESPEC_CONFINED: ErrConfined, C.SEAM_RESPEC_BUSY: ErrBusy}[rc]
		if err == nil {
			err = ErrMemory
		}
		return Applied{}, fmt.Errorf("change to spec %s: %w", path, err)
	}
	if out == nil {
		return Applied{}, fmt.Errorf("report on spec %s: %w", path, ErrMemory)
	}
	a := Applied{Hash: uint64(out.hash)}
	b := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(out), C.sizeof_struct_seam_outcome)), int(out.len))
	for len(b) >= 16 {
		no, ns := int(binary.LittleEndian.Uint32(b[8:])), int(binary.LittleEndian.Uint32(b[12:]))
		object, text := string(b[16:16+no]), b[16+no:16+no+ns]
		if b[0] == 2 {
			a.Refusals = append(a.Refusals, PlanRefusals{object, append([]byte(nil), text...)})
		} else {
			a.Sites = append(a.Sites, SiteState{Object: object, Symbol: string(text), Reason: b[1],
				Probe: int(binary.LittleEndian.Uint16(b[2:])), ID: int(int32(binary.LittleEndian.Uint32(b[4:])))})
		}
		b = b[(16+no+ns+7)&^7:]
	}
	return a, nil
}

// Behind says that another process that shares the arena was given a newer spec.
func Behind() bool {
	return atomic.LoadUint32((*uint32)(&C.seam.arena.spec_seq)) != atomic.LoadUint32((*uint32)(&C.seam.spec_seen)) &&
		atomic.LoadUint32((*uint32)(&C.seam.patching)) == 0
}

// Follow makes what is patched equal to the arena's newest spec. While a library is
// being loaded, or the spec is being written, it does nothing.
func Follow() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	Hold()
	defer Unhold()
	C.seam_follow_spec(nil)
}
