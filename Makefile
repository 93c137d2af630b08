# seam: see README.md. `make help` lists the targets.
SHELL := /bin/bash
GO ?= go
LIB := launcher/embed/libseam.so
# asyncpreemptoff: no signals between Go's threads; the others: no files kept open (RATIONALE.md, R2)
GODEBUGS := asyncpreemptoff=1,containermaxprocs=0,updatemaxprocs=0
# CALLBACKS=1, set by `seam build`: loops of Go code can be interrupted, without signals, so that an endless
# one in a callback doesn't stop the rest of the agent
CALLBACKS ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LIB_LDFLAGS := -E=seam_rt0 -X=github.com/seam-project/seam/preload/agent.version=$(VERSION) -X=runtime.godebugDefault=$(GODEBUGS) \
	-extldflags '-Wl,--version-script=$(CURDIR)/preload/exports.map -Wl,-z,now'
LIB_SRC := $(shell find preload hooks wire -name '*.go' -o -name '*.[chS]' -o -name '*.s' -o -name '*.map') go.mod

.PHONY: help build packages demo docs test parity parity-quick check fuzz fuzz-args torture bench bench-quick bench-field bench-field-quick clean
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

build: bin/seam ## bin/seam, one file with the agent library inside

$(LIB): $(LIB_SRC)
	$(if $(CALLBACKS),GOEXPERIMENT=preemptibleloops )CGO_ENABLED=1 $(GO) build -buildmode=c-shared -trimpath -ldflags="$(LIB_LDFLAGS)" -o $@.tmp ./preload
	$(GO) run ./preload/postlink $@.tmp
	strip --strip-unneeded $@.tmp
	$(GO) run ./preload/postlink -trim $@.tmp
	rm -f $(LIB).h $@.h $@.tmp.h launcher/embed/libseam.so.h launcher/embed/libseam.h
	mv $@.tmp $@
	sha256sum $@ | cut -d' ' -f1 > $@.sha256

# C that runs before Go's runtime. Go's linker applies no relocations to what is not its own in a program that is
# static, so it gets bytes without any: flat.ld refuses what would need one.
FAST := launcher/fastexec/fastexec_amd64
$(FAST).syso: launcher/fastexec/src/fastexec.c launcher/fastexec/src/flat.ld
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fpie -fno-stack-protector -fcf-protection=none -fno-jump-tables \
		-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -mgeneral-regs-only -nostdlib -static \
		-Wl,--build-id=none -Wl,-T,launcher/fastexec/src/flat.ld -o $(FAST).elf $<
	objcopy -O binary -j .text $(FAST).elf $(FAST).bin
	objcopy -I binary -O elf64-x86-64 -B i386:x86-64 --rename-section .data=.text,alloc,load,readonly,code,contents \
		--set-section-alignment .data=16 --add-symbol seam_fastexec=.text:0,function,global --wildcard --strip-symbol '_binary_*' $(FAST).bin $@
	rm -f $(FAST).elf $(FAST).bin

# -E: launcher/fastexec, then launcher/entry_amd64.s, which reads what the process inherited before Go's runtime changes it.
# Pure Go: the launcher is static, so it never loads its own library.
bin/seam: $(LIB) $(FAST).syso $(shell find cmd launcher collector hooks wire preload/plan -name '*.go' -o -name '*.s')
	CGO_ENABLED=0 $(GO) build -trimpath -tags seam_start -ldflags="-s -w -E=seam_start -X main.version=$(VERSION)" -o $@ ./cmd/seam

packages: ## what the demo and the tests need of Debian's packages, installed if missing
	@tests/packages.sh

demo: packages build ## watch a Python program that uses sqlite3, and print what it did
	bin/seam run -- /usr/bin/python3 docs/demo/orders.py

docs: packages build ## docs/functions.md, from the tables of known functions, and docs/coverage.md, from this machine's libraries
	$(GO) run ./hooks/gendoc >docs/functions.md.tmp && mv docs/functions.md.tmp docs/functions.md
	$(GO) run ./hooks/gendoc errors >docs/errors.md.tmp && mv docs/errors.md.tmp docs/errors.md
	docs/coverage.sh >docs/coverage.md.tmp && mv docs/coverage.md.tmp docs/coverage.md

check: ## formatting, vet, module files
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these"; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff

test: packages build check ## everything: unit, end to end, guest laws, a short fuzz, the benchmark once
	$(GO) test -count=1 -timeout 25m -p 1 ./...
	$(MAKE) --no-print-directory fuzz FUZZTIME=3000x
	$(MAKE) --no-print-directory bench-quick

SUITE ?=
parity: build ## upstream suites and services, plain and watched: docs/parity.md anew (an hour or two; SUITE=name,… for some)
	@tests/packages.sh tests/packages.txt tests/parity/packages.txt
	$(GO) test -count=1 -timeout 0 -parallel 2 -v -run TestParity ./tests/parity -args -full -write -suite=$(SUITE)

parity-quick: packages build ## the part of it that is in `make test`
	$(GO) test -count=1 -run TestParity ./tests/parity

# By count in `make test`: a run by time can end in "context deadline exceeded" with nothing found.
# Without -fuzzminimizetime a short run spends itself minimising its first finds.
FUZZTIME ?= 30s
fuzz: ## each decoder of outside bytes, FUZZTIME each
	@set -eo pipefail; for f in $$(grep -rl --include=*_test.go '^func Fuzz' .); do \
		for n in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' $$f); do \
			$(GO) test -run '^$$' -fuzz "^$$n$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./$$(dirname $$f) | grep -v '^fuzz: elapsed\|^PASS'; \
		done; done

torture: build ## restarts, kills, faults and ends at the lengths docs/torture.md and docs/live.md report: some 20 minutes
	@set -o pipefail; SEAM_TORTURE=long $(GO) test -count=1 -v -timeout 60m ./tests/torture ./tests/live | grep -v '^=== RUN\|^    --- PASS'

ARGS_TIME ?= 10m
fuzz-args: packages build ## hostile arguments for every function with a prototype, ARGS_TIME long
	SEAM_ARGS_TIME=$(ARGS_TIME) $(GO) test -count=1 -v -timeout 0 -run '^TestArguments$$' ./tests/laws

bench: build ## side by side: cost per call, start-up, sustained rate
	$(GO) run ./tests/bench

bench-quick: build
	$(GO) run ./tests/bench -quick >/dev/null && echo "ok  	benchmark runs"

ONLY ?=
FLAGS ?=
bench-field: build ## against the field: docs/benchmarks.md anew (half an hour; ONLY=calls,… for some sections; an idle machine, root)
	@tests/packages.sh tests/benchfield/packages.txt
	$(GO) run ./tests/benchfield -only '$(ONLY)' $(FLAGS) -write

bench-field-quick: build ## each of its measurements once, tiny: does it run
	@tests/packages.sh tests/benchfield/packages.txt
	$(GO) run ./tests/benchfield -quick -only '$(ONLY)' $(FLAGS) -parts bin/field-quick

clean: ## what the build made
	rm -rf bin $(LIB) $(LIB).sha256 $(FAST).syso
