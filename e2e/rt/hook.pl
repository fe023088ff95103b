# RT sends no webhooks of its own. This is the code of a scrip that posts each edit, signed with the generic
# scheme of docs/manifests.md (Admin, Scrips, Create: condition "On Transaction", action "User Defined",
# template "Blank", stage "Batch", and this as the action commit code). The stage makes it one post for an edit
# that is several transactions. An edit may concern several tickets: a merge.
return 1 unless $ENV{HOOK_URL};
require Digest::SHA; require JSON; require LWP::UserAgent;
my %tickets = map { $_ => 1 } $self->TicketObj->Id, map { $_->ObjectId } @{ $self->TicketObj->TransactionBatch || [] };
my $body = JSON::encode_json({ event => 'ticket.changed', ids => [ sort keys %tickets ], transaction => '' . $self->TransactionObj->Id });
my $at = time;
my $answer = LWP::UserAgent->new(timeout => 3)->post($ENV{HOOK_URL}, Content => $body, 'Content-Type' => 'application/json',
    'X-Hook-Timestamp' => $at, 'X-Hook-Signature' => 'sha256=' . Digest::SHA::hmac_sha256_hex("$at.$body", $ENV{HOOK_SECRET}));
RT->Logger->error('The webhook was answered with ' . $answer->code) unless $answer->is_success;
return 1;
