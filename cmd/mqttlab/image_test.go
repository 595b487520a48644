package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestImages judges brokers in containers; the images are made without a registry.
func TestImages(t *testing.T) {
	if err := exec.CommandContext(t.Context(), "docker", "info").Run(); err != nil {
		t.Skip("not run: no container engine answers to docker info")
	}
	if findMosquitto() == "" {
		t.Skip("not run: mosquitto is not installed: apt-get install mosquitto")
	}
	dockerfile, err := filepath.Abs("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // when all scripts have ended, which run at the same time
		_ = exec.Command("docker", "image", "rm", "--force", "eclipse-mosquitto:mqttlab-test", "mqttlab:mqttlab-test", "mqttlab-test/exits:1", "mqttlab-test/closed:1").Run()
	})
	testscript.Run(t, testscript.Params{
		Dir: "testdata/image", RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
			e.Setenv("DOCKERFILE", dockerfile)
			e.Setenv("HOME", e.WorkDir) // builders keep things there
			return nil
		},
	})
}
