package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mqttlab/reference-broker/auth"
)

func newPasswd() *cobra.Command {
	var (
		remove bool
		hash   string
	)
	cmd := &cobra.Command{
		Use:   "passwd FILE USER",
		Short: "Add, change or remove a user of a password file",
		Long: `passwd sets the password of USER in FILE, which is made if it is not there. The password
is asked for twice on a terminal, and is else the first line of standard input. A broker
that runs reads the file again on SIGHUP.

argon2id protects best if the file is stolen; scram also serves SCRAM-SHA-256, and costs
the broker less per login.`,
		Example: `  mqttlab broker passwd users ann
  pwgen 20 1 | tee ann.txt | mqttlab broker passwd users ann --hash scram
  mqttlab broker passwd users ann --remove`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, user := args[0], args[1]
			kinds := map[string]auth.HashKind{"argon2id": auth.Argon2id, "scram": auth.SCRAMSHA256}
			kind, known := kinds[hash]
			switch {
			case !known:
				return fmt.Errorf("--hash %q: there are argon2id and scram", hash)
			case remove && cmd.Flags().Changed("hash"):
				return errors.New("--remove needs no --hash")
			case remove:
				return auth.RemoveUser(file, user)
			}
			password, err := readPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), user)
			if err != nil {
				return err
			}
			return auth.SetPassword(file, user, password, kind)
		},
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "remove the user")
	cmd.Flags().StringVar(&hash, "hash", "argon2id", "how to keep the password: argon2id or scram")
	return cmd
}

// readPassword asks twice on a terminal, and else reads a line.
func readPassword(ctx context.Context, in io.Reader, prompt io.Writer, user string) ([]byte, error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := await(ctx, func() ([]byte, error) { return bufio.NewReader(io.LimitReader(in, 1<<17)).ReadBytes('\n') })
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read the password: %w", err)
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
	state, err := term.GetState(int(f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	defer term.Restore(int(f.Fd()), state) // if interrupted
	ask := func(question string) ([]byte, error) {
		fmt.Fprint(prompt, question)
		defer fmt.Fprintln(prompt)
		return await(ctx, func() ([]byte, error) { return term.ReadPassword(int(f.Fd())) })
	}
	first, err := ask(fmt.Sprintf("Password of %s: ", user))
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	second, err := ask("Once more: ")
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the password: %w", err)
	case !bytes.Equal(first, second):
		return nil, errors.New("the two passwords differ")
	}
	return first, nil
}
