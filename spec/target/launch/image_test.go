//go:build unix

package launch_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mobyclient "github.com/moby/moby/client"
)

// engine is a client of the container engine; without one the test says so and ends.
func engine(t *testing.T) *mobyclient.Client {
	t.Helper()
	docker, err := mobyclient.New(mobyclient.FromEnv)
	if err == nil {
		t.Cleanup(func() { docker.Close() })
		_, err = docker.Ping(t.Context(), mobyclient.PingOptions{})
	}
	if err != nil {
		t.Skipf("not run: no container engine answers (%v)", err)
	}
	return docker
}

// importImage makes an image of files, without a registry; changes are instructions of a
// Dockerfile. It is removed after the test.
func importImage(t *testing.T, docker *mobyclient.Client, files map[string]string, changes ...string) string {
	t.Helper()
	var root bytes.Buffer
	w := tar.NewWriter(&root)
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}))
	for name, from := range files {
		data, err := os.ReadFile(from)
		check(err)
		check(w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o755, Size: int64(len(data))}))
		_, err = w.Write(data)
		check(err)
	}
	check(w.Close())
	name := "mqttlab-test/" + strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())) + ":1"
	answer, err := docker.ImageImport(t.Context(), mobyclient.ImageImportSource{Source: &root, SourceName: "-"}, name,
		mobyclient.ImageImportOptions{Changes: changes})
	check(err)
	_, err = io.Copy(io.Discard, answer)
	check(err)
	t.Cleanup(func() {
		_, err := docker.ImageRemove(context.Background(), name, mobyclient.ImageRemoveOptions{Force: true})
		if err != nil {
			t.Error(err)
		}
	})
	return name
}

// withLibraries is a program with the shared libraries and the loader it needs, as ldd tells them.
func withLibraries(t *testing.T, program string) map[string]string {
	t.Helper()
	files := map[string]string{program: program}
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		t.Skipf("not run: ldd %s: %v", program, err)
	}
	for word := range strings.FieldsSeq(string(out)) {
		if filepath.IsAbs(word) {
			files[word] = word
		}
	}
	return files
}

// containersOf lists what exists of an image, running or not.
func containersOf(t *testing.T, docker *mobyclient.Client, image string) []string {
	t.Helper()
	list, err := docker.ContainerList(t.Context(), mobyclient.ContainerListOptions{
		All: true, Filters: mobyclient.Filters{}.Add("ancestor", image),
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range list.Items {
		ids = append(ids, c.ID)
	}
	return ids
}

// gone waits until nothing is left of an image's containers.
func gone(t *testing.T, docker *mobyclient.Client, image string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := containersOf(t, docker, image)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left behind: %v", left)
		}
	}
}
