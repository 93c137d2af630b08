package hooks

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"
)

const requestProto = `
enum colour { RED, GREEN = 5, BLUE };
enum level : uint8_t { LOW, HIGH };
flags mode { M_READ = 1, M_WRITE = 2, M_BOTH = M_READ | M_WRITE, M_DIRECT = 1 << 4, M_SLOW = 0x100 & 0x300, M_FAST = 0x200 & 0x300 };
struct point { int x; int y; };
typedef struct request {
	uint32_t op; flags(mode) mode; enum level level; char name[16]; uint8_t id[6];
	struct point at; short parts[3]; const char *path; char _[24]; int state @104; secret uint64_t key; int after;
} request_t;
int submit(const request_t *r, enum colour c, flags(mode) m, out request_t *back) fails < 0;
int submit_all(const struct point *points[n], int n, const short *v[n], in double *d)`

func cRequest() []byte {
	b := make([]byte, 128)
	le := binary.LittleEndian
	le.PutUint32(b[0:], 7)
	le.PutUint32(b[4:], 0x213)
	b[8] = 1
	copy(b[9:], "a name\x00rest")
	copy(b[25:], "\x01\x02\x03\x04\x05\xff")
	le.PutUint32(b[32:], 3)
	le.PutUint32(b[36:], ^uint32(3))
	le.PutUint16(b[40:], 10)
	le.PutUint16(b[42:], 20)
	le.PutUint16(b[44:], 0xffff)
	le.PutUint64(b[48:], 0x1234)
	le.PutUint32(b[104:], 9)
	le.PutUint64(b[112:], 0xdeadbeef)
	return b
}

// as is what a call's arguments are in the stream, as JSON.
func as(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := msgpack.Unmarshal(b, &v); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	s, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

func TestDeclaredTypes(t *testing.T) {
	hs, err := ParseProto(requestProto)
	if err != nil {
		t.Fatal(err)
	}
	if len(hs) != 2 || hs[0].Name != "submit" || hs[1].Name != "submit_all" {
		t.Fatalf("functions: %+v", hs)
	}
	// The reader has only what the definition says.
	sent, _, _, err := DecodeDef(EncodeDef(hs[0], "app", "", Log))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(hs[0].Args, sent.Args); d != "" {
		t.Fatalf("through the stream: %s", d)
	}
	ops := Ops(sent)
	if len(ops) != 2 || ops[0].Op != OpMem || ops[0].Cap != 108 {
		t.Fatalf("operations %+v: of the request 108 bytes may be read, then comes a secret", ops)
	}
	const request = `{"after":[4],"at":{"x":3,"y":-4},"id":"AQIDBAX/","key":[5,8],"level":"HIGH","mode":"M_BOTH|M_FAST|M_DIRECT","name":"a name","op":7,"parts":[10,20,-1],"path":4660,"state":9}`
	d := NewDecoder(sent, nil)
	items := append(item8(0, statusOK, cRequest()[:108]), item8(1, statusOK, cRequest()[:108])...)
	got := as(t, d.AppendCall(nil, []uint64{1, 5, 0x102, 1}, items, nil, 0, false))
	if want := `[` + request + `,"GREEN","M_SLOW|M_WRITE",` + request + `]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := as(t, d.AppendCall(nil, []uint64{1, 4, 0, 0}, item8(0, statusCut, cRequest()[:20]), nil, 0, true)); !strings.Contains(got, `"name":[4]`) || !strings.Contains(got, `"level":"HIGH"`) || !strings.HasSuffix(got, `,4,"0",null]`) {
		t.Errorf("a part of the structure: %s", got)
	}

	h := hs[1]
	if ops := Ops(h); len(ops) != 3 || ops[0] != (Op{Op: OpBuf32, Arg: 0, Len: 1, When: WhenEnter, Cap: 512, Unit: 8}) || ops[1].Unit != 2 || ops[2].Cap != 8 {
		t.Fatalf("operations %+v", ops)
	}
	d = NewDecoder(h, nil)
	points := binary.LittleEndian.AppendUint32(nil, 1)
	for _, v := range []uint32{2, 3, 4} {
		points = binary.LittleEndian.AppendUint32(points, v)
	}
	items = append(item8(0, statusOK, points), item8(1, statusCut, []byte{1, 0, 255, 255})...)
	items = append(items, item8(2, statusOK, []byte{0, 0, 0, 0, 0, 0, 4, 64})...)
	got = as(t, d.AppendCall(nil, []uint64{1, 2, 1, 1}, items, nil, 0, false))
	if want := `[[{"x":1,"y":2},{"x":3,"y":4}],2,[1,[1,-1]],"2.5"]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDeclaredTypeErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
		col  int
		msg  string
	}{
		{"struct s { int a : 3; }; int f(struct s *s)", 0, 18, "bit fields"},
		{"struct s { int a, b; }; int f(struct s *s)", 0, 17, "expected ';'"},
		{"struct s { int a[2][2]; }; int f(struct s *s)", 0, 20, "array of arrays"},
		{"struct s { int a; int a; }; int f(struct s *s)", 0, 24, "field a is there twice"},
		{"struct s { struct nosuch a; }; int f(struct s *s)", 0, 12, `unknown struct "nosuch"`},
		{"struct s { void a; }; int f(struct s *s)", 0, 12, "a field is an integer"},
		{"struct s { out int a; }; int f(struct s *s)", 0, 12, "no direction"},
		{"struct s { int _; }; int f(struct s *s)", 0, 8, "no fields to show"},
		{"struct s { int a @2; int b @4; }; int f(struct s *s)", 0, 29, "offset is before"},
		{"struct s { char a[9999]; }; int f(struct s *s)", 0, 19, "1 to 4096"},
		{"struct s { int a; } int f(struct s *s)", 0, 21, "expected ';'"},
		{"struct s { int a; }; struct s { int b; }; int f(void)", 0, 29, "struct s is there twice"},
		{"union u { int a; }; int f(void)", 0, 7, "unions can't be declared"},
		{"enum open { A }; int f(void)", 0, 6, "enum open is there already"},
		{"enum e { A, A }; int f(void)", 0, 13, "A is there twice"},
		{"enum e { A = B }; int f(void)", 0, 14, `unknown value "B"`},
		{"enum e { A = 1 << 99 }; int f(void)", 0, 19, "a shift is 0 to 63"},
		{"enum e : char * { A }; int f(void)", 0, 17, "expected an integer type"},
		{"flags e { A = 8 & 3 }; int f(void)", 0, 18, "a mask covers"},
		{"enum e { A }; int f(flags(e) x)", 0, 21, "declared with the other word"},
		{"struct s { int a; }; int f(struct s s)", 0, 28, "by value"},
		{"struct s { int a; secret int b; }; int f(const struct s *s[n], int n)", 0, 42, "with secrets"},
		{"int f(const struct stat *s[n], int n)", 0, 7, "arrays of struct stat"},
		{"int f(int *v[*n], int *n)", 0, 7, "counts bytes"},
		{"int f(in int x)", 0, 7, "an in argument must be a pointer"},
		{"int f(int a); fails -1", 0, 15, `unexpected "fails"`},
		{"int f(int a) /* x", 0, 14, "the comment is not closed"},
		{"struct s { int a; };", 0, 21, "expected a type"},
		{"struct s {\n\tint a;\n\titn b;\n};\nint f(void)", 3, 2, `unknown type "itn"`},
		{"int f(void);\n// more\nint g(int a, int a)", 3, 18, "parameter a is there twice"},
	} {
		_, err := ParseProto(c.text)
		var pe *ProbeError
		if !errors.As(err, &pe) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if pe.Line != c.line || pe.Col != c.col || !strings.Contains(pe.Msg, c.msg) {
			t.Errorf("%q: line %d column %d %q, want %d %d %q\n%s", c.text, pe.Line, pe.Col, pe.Msg, c.line, c.col, c.msg, pe.Caret())
		}
	}
	for _, w := range packWords {
		_, err := UserProto("int f(int a); int g(int b) fails -1 " + w + " db")
		var pe *ProbeError
		if !errors.As(err, &pe) || pe.Col != 37 {
			t.Errorf("%s: %v", w, err)
		}
	}
}

// What docs/prototypes.md shows is so.
func TestPrototypesDoc(t *testing.T) {
	b, err := os.ReadFile("../docs/prototypes.md")
	if err != nil {
		t.Fatal(err)
	}
	protos, mistakes := 0, 0
	for i, block := range strings.Split(string(b), "```") {
		kind, text, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0:
		case kind == "proto":
			protos++
			if _, err := UserProto(text); err != nil {
				t.Errorf("%v", err)
			}
		case kind == "error":
			mistakes++
			line, _, _ := strings.Cut(text, "\n")
			_, err := UserProto(line)
			var pe *ProbeError
			if !errors.As(err, &pe) || pe.Caret()+"\n"+pe.Msg+"\n"+pe.Hint+"\n" != text {
				t.Errorf("%q: %v\n%s\n%s", line, err, pe.Caret(), pe.Hint)
			}
		default:
			t.Errorf("a block of kind %q", kind)
		}
	}
	if protos < 4 || mistakes < 3 {
		t.Errorf("%d prototypes, %d mistakes", protos, mistakes)
	}
}
