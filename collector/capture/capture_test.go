package capture_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/seam-project/seam/collector/capture"
)

// disk is full after n bytes.
type disk struct {
	bytes.Buffer
	n int
}

var errFull = errors.New("no space left on device")

func (d *disk) Write(p []byte) (int, error) {
	if d.Len()+len(p) > d.n {
		d.Buffer.Write(p[:d.n-d.Len()])
		return 0, errFull
	}
	return d.Buffer.Write(p)
}

func TestRoundTrip(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), capture.MaxFrame/8)
	var b bytes.Buffer
	w := capture.NewWriter(&b)
	w.Frame(0, []byte("zero"))
	w.Frame(1<<40, big)
	w.Frame(200, nil)
	w.End(200)
	w.Frame(0, []byte("!"))
	if lost, err := w.Err(); lost != 0 || err != nil {
		t.Fatal(lost, err)
	}
	size := int64(b.Len())
	r, err := capture.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint64]*bytes.Buffer{}
	ends := 0
	for {
		id, data, end, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if end {
			ends++
			continue
		}
		if got[id] == nil {
			got[id] = new(bytes.Buffer)
		}
		got[id].Write(data)
	}
	if ends != 1 || got[0].String() != "zero!" || !bytes.Equal(got[1<<40].Bytes(), big) || r.Offset() != size {
		t.Errorf("%d ends, %q, %d bytes, offset %d of %d", ends, got[0], got[1<<40].Len(), r.Offset(), size)
	}
}

func TestFullDisk(t *testing.T) {
	d := &disk{n: 100}
	w := capture.NewWriter(d)
	for range 10 {
		w.Frame(1, make([]byte, 30))
	}
	w.End(1)
	lost, err := w.Err()
	if !errors.Is(err, errFull) || lost != 8*30 {
		t.Errorf("%d bytes lost, %v; want 240, %v", lost, err, errFull)
	}
	r, err := capture.NewReader(&d.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		_, data, _, err := r.Next()
		if err != nil {
			var ce *capture.Error
			if !errors.As(err, &ce) || ce.Offset != r.Offset() || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the cut frame: %v", err)
			}
			break
		}
		n += len(data)
	}
	if n != 60 {
		t.Errorf("%d bytes can be read, want the 60 of whole frames", n)
	}
}

func TestNotACapture(t *testing.T) {
	for _, s := range []string{"", "seam", "seam-capture 2\n\x92", "\x7fELF\x02\x01\x01 and so on"} {
		if _, err := capture.NewReader(bytes.NewReader([]byte(s))); !errors.Is(err, capture.ErrNotCapture) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestCorruptFrames(t *testing.T) {
	for _, s := range []string{"\x91", "\x92\xc0", "\x92\x01\xa3abc", "\x92\x01\xc6\x7f\xff\xff\xff", "\xc1"} {
		r, err := capture.NewReader(bytes.NewReader([]byte(capture.Magic + s)))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err = r.Next(); !errors.Is(err, capture.ErrCorrupt) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
