# mqttlab: `make run` and `make test` are all a newcomer needs. `make help` lists the rest.
GO      ?= go
BIN     := bin/mqttlab
OUT     ?= out
FUZZ    ?= 10s
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help build run test check race fuzz self golden bench clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

build: ## build bin/mqttlab
	@mkdir -p bin
	$(STATIC) -o $(BIN) ./cmd/mqttlab

run: build ## check the embedded reference broker and write the reports to out/
	$(BIN) conform reference --out $(OUT)

test: ## run all tests
	$(GO) test -timeout 30m ./...

check: ## formatting, vet, staticcheck, import rules
	@unformatted=$$($(GO) tool gofumpt -l cmd spec simulator reference-broker netem reports); \
	if [ -n "$$unformatted" ]; then echo "not formatted (run: go tool gofumpt -w .):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -run 'TestImportRules|TestCoreHasNoClock' ./cmd/mqttlab

race: ## the race detector on what has goroutines
	CGO_ENABLED=1 $(GO) test -race -timeout 30m ./reference-broker/... ./spec/probe ./spec/conformance ./simulator/...

fuzz: ## each fuzz target for $(FUZZ)
	@set -e; for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -rhoE '^func Fuzz[A-Za-z0-9]+' $$pkg/*_test.go | cut -c6-); do \
			echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ) -fuzzminimizetime 1s $$pkg; \
		done; \
	done

self: ## prove the checks: each passes on the reference broker and fails on its fault
	$(GO) test -count=1 -v -run TestSelf ./spec/selftest

golden: ## rewrite the golden file of the JUnit report and the list of checks; read the diff
	$(GO) test ./reports/junit ./spec/checks -run TestGolden -update

bench: build ## benchmarks with allocations, then brokers compared; BENCH=-short for a glance
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./reference-broker/bench $(BENCH)

.PHONY: power
power: ## how sure comparisons of latency are: the thousand synthetic experiments, 10 minutes
	$(GO) test -count=1 -v -timeout 60m -run '^TestExperiment' ./reports/compare -experiments 1000

clean: ## remove what the other targets made
	rm -rf bin $(OUT) $(DIST)

# What is released: static binaries, each with its bill of materials, manual, completions, and the checksums of all.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
DIST      ?= dist
IMAGE     ?= mqttlab
COMPOSE   ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

STATIC     = CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

.PHONY: image dist compose pages

image: ## build the container image $(IMAGE):$(VERSION) from scratch
	@rm -rf bin/image && mkdir -p bin/image/files/data bin/image/files/tmp && chmod 1777 bin/image/files/tmp
	GOOS=linux $(STATIC) -o bin/image/mqttlab ./cmd/mqttlab
	docker build --quiet --file cmd/mqttlab/Dockerfile --tag $(IMAGE):$(VERSION) --tag $(IMAGE):latest bin/image

compose: image ## a broker and a fleet in containers, with metrics; PROFILE=prometheus watches them
	IMAGE=$(IMAGE) $(COMPOSE) --project-name mqttlab --file cmd/mqttlab/compose/compose.yaml $(if $(PROFILE),--profile $(PROFILE)) up --exit-code-from fleet

dist: build ## write binaries for all platforms, bills of materials, manual, completions and checksums to dist/
	@rm -rf $(DIST) && mkdir -p $(DIST)
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*}; arch=$${platform#*/}; suffix=; [ $$os != windows ] || suffix=.exe; \
		echo "$$os/$$arch"; \
		file=$(DIST)/mqttlab_$${os}_$${arch}; \
		GOOS=$$os GOARCH=$$arch $(STATIC) -o $$file$$suffix ./cmd/mqttlab; \
		$(BIN) sbom $$file$$suffix > $$file.cdx.json; \
	done
	@$(BIN) man > $(DIST)/mqttlab.1
	@for shell in bash zsh fish powershell; do $(BIN) completion $$shell > $(DIST)/completion.$$shell; done
	@cd $(DIST) && sha256sum * > SHA256SUMS

pages: ## every kind of web page, as screenshots and on paper, in out/pages; wants Chromium
	@mkdir -p $(OUT)/pages
	$(GO) test -count=1 ./reports/html -run TestInABrowser -pages $(abspath $(OUT)/pages)
