# Plain `make` prints the targets. All of them call plain go, or a script that does.
export TOCSIN_CACHE ?= $(HOME)/.cache/tocsin
FUZZTIME ?= 30s
TESTTIME ?= 12m

.DEFAULT_GOAL := help
.PHONY: help run test lint bench conformance fuzz soak build clean deps

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build and serve the demo on loopback (DATA=./data, DEMO=0 for an empty start, ARGS=… for more flags)
	@scripts/run $(ARGS)

test: deps ## vet, every test with the race detector against the real peers, then Alertmanager's own suites
	go vet -tags soak ./...
	go test -race -shuffle=on -timeout $(TESTTIME) ./...
	go test -timeout $(TESTTIME) -run TestGrouping ./evaluate
	go test -timeout $(TESTTIME) -shuffle=on ./correlate/pairs
	cd test/conformance && go vet ./... && go test -race -shuffle=on -timeout $(TESTTIME) ./...
	@scripts/conformance
	@echo 'make test: all of it passed'

lint: ## golangci-lint with .golangci.yml, and shell syntax
	@scripts/lint

bench: ## measure the goals of docs: storms of the simulator against the shipped binary
	@scripts/bench $(ARGS)

conformance: ## run the acceptance suites of Alertmanager and amtool against this tree
	@scripts/conformance

fuzz: ## run every fuzz test for FUZZTIME (30s) each
	@scripts/fuzz $(FUZZTIME)

soak: ## hours of whole-system simulation with crashes
	SOAK=1 go test -tags soak -timeout 3h ./...

build: ## bin/tocsin as it is shipped: pure Go, no paths, its version inside
	@scripts/build

clean: ## remove what build and run have put into the tree
	rm -rf bin data

deps: ## install the real peers into the system and the cache: Prometheus, Alertmanager, Kafka, amtool, Chromium
	@scripts/deps
