package main

import (
	"bytes"
	"os"
	"testing"
)

func TestErrorsDocIsFresh(t *testing.T) {
	have, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, errors()) {
		t.Error("docs/errors.md is out of date: make docs")
	}
}

func TestFunctionsDocIsFresh(t *testing.T) {
	have, err := os.ReadFile("../../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, functions()) {
		t.Error("docs/functions.md is out of date: make docs")
	}
}
