package plan

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/seam-project/seam/hooks"
	"github.com/seam-project/seam/preload/plan/debuginfo"
)

// Once returns the plan of an object for spec: out of the cache, or made and stored
// there. Of processes that ask for the same plan at the same time one makes it,
// while the others wait: a hundred workers load the same plugin in the same moment.
// made tells whether it was this one. live: the plan is for a process that runs (BuildLive);
// it serves one that begins as well. A cache that can't be used costs time only.
func Once(path string, spec *hooks.Spec, live bool) (p *Plan, made bool, err error) {
	hash := spec.Hash()
	// First without reading the object: its symbols alone take longer than all else
	// that a program with made plans waits for.
	if p, err = Load(spec.Plans, hash, debuginfo.Stat(path)); err == nil && (p.Live || !live) {
		return p, false, nil
	}
	obj, err := Open(path)
	if err != nil {
		return nil, false, err
	}
	defer obj.Close()
	if lock := lockPlan(spec.Plans, hash, obj.ID); lock != nil {
		defer lock.Close()
	}
	if p, err = Load(spec.Plans, hash, obj.ID); err == nil && (p.Live || !live) {
		return p, false, nil
	}
	if p, err = build(obj, spec, live); err != nil {
		return nil, false, err
	}
	_ = Store(spec.Plans, p) // best effort: the next process would plan again
	return p, true, nil
}

// lockPlan waits for whoever makes this plan. One file serves all plans: each has
// a byte of it, by its key. Closing the file unlocks, and so does dying.
func lockPlan(dir string, specHash uint64, id Identity) *os.File {
	if CheckDir(dir) != nil {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil
	}
	at := int64(fnv1a64([]byte(Key(specHash, id))) >> 1)
	if unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLKW, &unix.Flock_t{Type: unix.F_WRLCK, Start: at, Len: 1}) != nil {
		f.Close()
		return nil
	}
	return f
}
