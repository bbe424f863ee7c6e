# Two commands matter: make demo, make test. Each sets up .venv first if it has to.

SHELL := /bin/bash
PYTHON ?= python3
V := .venv
ARGS ?=
LAUNCH_SOURCES ?=

# A shell with another ROS sourced would poison the environment.
unexport AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH
unexport PYTHONHOME PYTHONPATH RMW_IMPLEMENTATION _ROS_WHEELS_BOOTSTRAP_COMPLETE

.DEFAULT_GOAL := help
.PHONY: help setup demo study test drills mutants test-exports test-cluster test-launch lint bench bench-peer colcon docs clean

help:  ## Say what can be made
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

setup:  ## Create or complete .venv (the other targets do it by themselves)
	@$(PYTHON) tools/environment.py

demo: setup  ## Watch an arm learn to push: runs/demo/summary.json, runs/demo/report.html
	@$(V)/bin/il_ros demo $(ARGS)

test: setup  ## Run every test but linters and drills; some of them: make test ARGS='test/data -k reader'
	@$(V)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

drills: setup  ## Kill recorders, slow and fill disks, damage recordings, in full number (half an hour)
	@$(V)/bin/python -m pytest -m drill $(ARGS)

test-exports:  ## Open exports with robomimic, lerobot and rosbags, in .venv-exports
	@$(PYTHON) tools/environment.py --venv .venv-exports --requirements exports --without-package
	@.venv-exports/bin/python -m pip install -q --disable-pip-version-check --no-deps -r requirements/exports-readers.txt
	@PYTHONPATH=. .venv-exports/bin/python -m pytest test/runs/export/test_readers_of_others.py test/runs/export/test_exports.py $(ARGS)

test-cluster:  ## Run episodes on a Ray cluster of three nodes and lose one, in .venv-cluster
	@$(PYTHON) tools/environment.py --venv .venv-cluster --requirements run build test cluster
	@.venv-cluster/bin/python -m pytest test/loop/test_cluster.py $(ARGS)

test-launch: export AMENT_PREFIX_PATH := $(AMENT_PREFIX_PATH)
test-launch: export LD_LIBRARY_PATH := $(LD_LIBRARY_PATH)
test-launch: export PYTHONPATH := $(PYTHONPATH)
test-launch:  ## Run the launch files under launch_ros: an installed ROS, or LAUNCH_SOURCES=FOLDER
	@$(PYTHON) tools/launch_tests.py --sources '$(LAUNCH_SOURCES)' -m 'not drill' test/launch test/style/test_ament_style.py $(ARGS)

lint: setup  ## Run ament's linters, the type checker, and the style and import-boundary tests
	@$(V)/bin/python -m mypy
	@$(V)/bin/python -m pytest -m 'not drill' test/style test/test_boundaries.py $(ARGS)

mutants: setup  ## Change a room's code at random; see what its tests miss: make mutants ROOM=driving
	@$(V)/bin/python tools/mutants.py $(ROOM) $(ARGS)

study: setup  ## Compare strategies and BC label by label on push (hours): runs/study/study.html
	@$(V)/bin/il_ros study $(ARGS)

bench: setup  ## Measure the loop, its latency and training: runs/bench.json
	@$(V)/bin/python -m benchmarks $(ARGS)

bench-peer: setup  ## Measure the DAgger of the imitation library beside ours, in .venv-peer
	@$(PYTHON) tools/environment.py --venv .venv-peer --requirements peer --without-package
	@PYTHONPATH=. .venv-peer/bin/python -m benchmarks.peer $(ARGS)

colcon:  ## Build and test both packages in a colcon workspace, with .venv-colcon
	@$(PYTHON) tools/environment.py --venv .venv-colcon --requirements run build test colcon --without-package
	@tools/colcon_workspace $(ARGS)

docs:  ## Build the documentation site: build/docs/index.html, with .venv-docs
	@$(PYTHON) tools/environment.py --venv .venv-docs --requirements docs --without-package
	@.venv-docs/bin/python -m sphinx -W --keep-going -q docs build/docs $(ARGS)
	@echo 'The documentation is in build/docs/index.html'

clean:  ## Remove what was built, but neither environments nor runs
	rm -rf build install log il_ros.egg-info
