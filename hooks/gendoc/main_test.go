package main

import (
	"bytes"
	"os"
	"testing"
)

func TestFunctionsDocIsFresh(t *testing.T) {
	have, err := os.ReadFile("../../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, functions()) {
		t.Error("docs/functions.md is out of date: make docs")
	}
}
