// Package auth decides who may connect to the broker and who may do what.
//
//	users, err := auth.OpenUsers("users")
//	rules, err := auth.OpenRules("rules.yaml")
//	door := auth.NewDoor(auth.DoorConfig{Users: users})
//	cfg := broker.Config{Authenticator: door, Server: server.Config{Authorize: rules.Authorize}}
//	...
//	err = errors.Join(users.Reload(), rules.Reload()) // while the broker runs
//
// There are three things in it. [Users] is the password file: names and hashes of passwords, which [SetPassword] and [RemoveUser] edit.
// [Rules] are the access rules. A [Door] answers each CONNECT and AUTH: by a password, by SCRAM-SHA-256 as enhanced authentication, by the
// certificate that the transport has checked, or, if that is allowed, by letting in who names nobody.
//
// # The password file
//
// A line per user, a name and a hash with a colon between. Empty lines and those that begin with # are comments. The hash is one of
//
//	$argon2id$v=19$m=19456,t=2,p=1$SALT$KEY                        written here; the default
//	$scram-sha-256$i=32768$SALT$STOREDKEY$SERVERKEY                written here; serves SCRAM and passwords
//	$7$ITERATIONS$SALT$KEY                                         PBKDF2 with SHA-512, of mosquitto_passwd 2.0
//	$6$SALT$KEY                                                    SHA-512, of mosquitto_passwd 1.6
//
// SCRAM needs a hash of its own, for its client proves that it knows the key that PBKDF2 makes of a password. That key is cheaper to guess
// than argon2id's, if the file is stolen.
//
// # The access rules
//
//	default: deny                   # if no rule matches; deny if left out
//	rules:
//	- deny: all                     # all, or some of publish, subscribe, will
//	  topic: secret/#
//	- allow: [publish, will]
//	  user: [ann, bob]              # left out: everyone; "" is who has no name
//	  client: meter-7               # Client Identifier; left out: every one
//	  topic: [meters/%c/#, "home/%u/+"]
//
// The first rule that matches decides. In a topic %c stands for the Client Identifier, %u for the user name and %% for a percent sign. A rule
// does not match where such a name is empty or has a wildcard or a slash in it, or would make a topic that begins with $: a client chooses its
// identifier itself, and would choose the topic with it.
//
// A rule matches a publication if the Topic Name matches the filter. A rule that allows matches a subscription if all it may bring lies within
// the rule's filter; a rule that denies does if anything it may bring does. So with the rules above nobody gets secret/x by subscribing to #.
// The other way round, who may subscribe to # may do so only if no rule before denies any of it. Topics that begin with $ are matched by no
// rule that begins with a wildcard.
//
// Rules read again hold for what clients do from then on; Subscriptions that were granted stay.
//
// # What an attacker pays
//
// A refusal comes after [DoorConfig.FailureTime] at the earliest, whatever the reason, and one connection can have one answer on the way.
// Passwords are hashed by a few at a time ([DoorConfig.Hashing]), which bounds memory (19 MiB each) and processors; so many may wait
// ([DoorConfig.Waiting]), and the rest are told that the Server is busy. An unknown user costs as much as a known one: it is checked against
// the hash of another one, always the same, and in SCRAM gets a made-up salt, always the same until the process ends. Keys are compared in
// constant time. Neither passwords nor hashes are in errors or logs.
//
// # Design
//
// A cache of passwords that were right would let a fleet come back faster than 80 logins per second on two cores, which is what argon2id leaves. It
// lost: it would put keys that are quickly guessed into memory. A scram-sha-256 hash is the answer for fleets: the clients compute.
//
// Delay by name or address after some failures lost: it lets anyone lock a user out, and a table of strangers' addresses needs limits of its own.
package auth
