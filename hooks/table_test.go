package hooks

import "testing"

// What a start pays: finding the names, and one prototype.
func BenchmarkTables(b *testing.B) {
	for b.Loop() {
		t := buildTable(packs[:len(packs)-1], 512)
		if t.hook("open") == nil {
			b.Fatal("open")
		}
	}
}
