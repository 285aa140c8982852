"""A trained segmentor beyond torch: exported files, and the back ends that run it."""

from .network import Network, deploy_graph

__all__ = ['Network', 'deploy_graph']
