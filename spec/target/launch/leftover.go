package launch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/registry"
	mobyclient "github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// The labels of a container tell who owns it.
const (
	hostLabel = "mqttlab.host"
	pidLabel  = "mqttlab.pid"
)

func ownLabels() map[string]string {
	host, _ := os.Hostname() // without a name, all such machines share one; the process id still differs
	return map[string]string{hostLabel: host, pidLabel: strconv.Itoa(os.Getpid())}
}

// removeLeftovers removes the containers of runs on this machine that have died. An
// engine may be shared, so those of other machines are not touched.
func removeLeftovers(ctx context.Context, docker *testcontainers.DockerClient, log *slog.Logger) error {
	list, err := docker.ContainerList(ctx, mobyclient.ContainerListOptions{
		All: true, Filters: mobyclient.Filters{}.Add("label", hostLabel+"="+ownLabels()[hostLabel]),
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range list.Items {
		pid, err := strconv.Atoi(c.Labels[pidLabel])
		if err != nil || runs(pid) {
			continue
		}
		log.Info("removing what a dead run has left", "container", c.ID, "pid", pid)
		_, err = docker.ContainerRemove(ctx, c.ID, mobyclient.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) { // somebody else removes it
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// encodeAuth is the form in which an engine wants credentials for a registry.
func encodeAuth(auth registry.AuthConfig) (string, error) {
	data, err := json.Marshal(auth)
	return base64.URLEncoding.EncodeToString(data), err
}
