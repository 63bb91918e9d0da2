# make help lists these.

.PHONY: help build test bench generate ci

help: ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

# The tag leaves out man-page support of the flag library, and with it two dependencies.
build: ## build one static binary, dist/loratool; the same bytes on every machine
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -tags urfave_cli_no_docs -ldflags '-s -w -buildid=' -o dist/loratool ./cmd/loratool

test: ## run the tests; they need nothing but Go
	go test ./...

# The peers are in the Python environment that ".ci/run interop" makes.
# LLAMA_CPP=… names llama.cpp's sources, for the whole chain to GGUF.
PYTHON ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/loratool-ci/venv/bin/python

bench: build ## measure each command side by side with its peers (after "make ci", or with PYTHON=… that has them)
	@for script in $(filter-out %/measure.py %/models.py,$(wildcard .ci/bench/*.py)); do $(PYTHON) $$script dist/loratool dist/bench || exit 1; done

generate: ## make the assembly from its generator
	go generate ./...

ci: ## run everything that must hold before a change lands
	.ci/run
