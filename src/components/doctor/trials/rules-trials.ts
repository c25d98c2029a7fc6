/** What netloom's rule sets are made of, a piece each, so that a kernel without one of them names it. */
export const rulesTrials: readonly (readonly [name: string, rules: string])[] = [
  [
    "nat",
    `table ip t1 {
      chain pre {
        type nat hook prerouting priority -100; policy accept;
        tcp dport 80 dnat to 10.0.0.2:8080
      }
      chain post {
        type nat hook postrouting priority 100; policy accept;
        ip saddr 10.0.0.2 masquerade fully-random
      }
    }`,
  ],
  [
    "verdict maps",
    `table ip t2 {
      map services {
        type ipv4_addr . inet_proto . inet_service : verdict
        elements = { 10.96.0.1 . tcp . 443 : goto svc }
      }
      chain svc {
        numgen random mod 2 vmap { 0 : accept, 1 : return }
      }
      chain pre {
        type nat hook prerouting priority -100;
        ip daddr . meta l4proto . th dport vmap @services
      }
    }`,
  ],
  [
    "sets with time-outs",
    `table ip t3 {
      set clients {
        type ipv4_addr
        flags dynamic,timeout
        timeout 10s
      }
      chain f {
        type filter hook forward priority 0;
        update @clients { ip saddr timeout 10s }
      }
    }`,
  ],
  [
    "fib",
    `table inet t4 {
      chain pre {
        type filter hook prerouting priority -300;
        fib daddr type local accept
      }
    }`,
  ],
  [
    "ct and reject",
    `table ip t5 {
      chain f {
        type filter hook forward priority 0;
        ct state invalid drop
        ct status dnat accept
        reject
      }
      chain o {
        type route hook output priority -150;
        ct mark set meta mark
      }
    }`,
  ],
];

/** Needed by clusters with IPv6 addresses only. */
export const ipv6Rules = `table ip6 t6 {
  map services {
    type ipv6_addr . inet_proto . inet_service : verdict
  }
  chain pre {
    type nat hook prerouting priority -100;
    ip6 daddr . meta l4proto . th dport vmap @services
  }
  chain post {
    type nat hook postrouting priority 100;
    ip6 saddr fd00::/64 snat to fd00::1 fully-random
  }
  chain f {
    type filter hook forward priority 0;
    fib daddr type local accept
    reject with icmpv6 port-unreachable
  }
}`;
