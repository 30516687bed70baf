//! Scenarios against real servers.

mod cli;
mod cli_build;
mod cli_charts;
mod cli_cluster;
mod cli_installation;
mod cli_local;
mod crash;
mod definitions;
mod demo;
mod dependencies;
mod drift;
mod faults;
mod flux_configuration;
mod follow;
mod git_faults;
mod git_server;
mod harness;
mod image;
mod leader;
mod outages;
mod prune;
mod refusals;
mod registry;
mod restart;
mod scene;
mod tenants;
