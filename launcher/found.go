package launcher

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"

	"github.com/seam-project/seam/hooks"
)

// That each probe of a spec names something is found by reading plans and symbols. A note beside the
// plans, which are only looked for then, tells the next start that it was so: what is in a changed file,
// nobody has a plan for.

// foundNote is the path of the note for a spec whose probes are looked for in these objects, and in the installed libraries. "": there can't be one.
func foundNote(spec *hooks.Spec, objects []string) string {
	h := fnv.New64a()
	text := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	for _, o := range objects {
		text(o)
	}
	id, err := fileIdentity(ldCachePath)
	if err != nil {
		return ""
	}
	for _, v := range []uint64{spec.Hash(), id.Dev, id.Ino, id.Size, id.MtimeNS} {
		h.Write(binary.LittleEndian.AppendUint64(nil, v))
	}
	return filepath.Join(spec.Plans, fmt.Sprintf("%016x.found", h.Sum64()))
}

func noted(path string) bool {
	st, err := os.Lstat(path)
	return path != "" && err == nil && ownedFile(st)
}

// note does nothing where it can't: the next start looks again.
func note(path string) {
	if path != "" {
		_ = writeFile(path, 0o600, func(*os.File) error { return nil })
	}
}
