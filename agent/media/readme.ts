/** What somebody reads who finds the medium, or whose scanner asks what this is. */
export const readmeText = `This folder was written by Tidegate, which carries sealed credentials between networks.

If you have found this medium: please give it back to the operator of the plant that you found it in.
Nothing here can be opened without keys that are not on it.

Each folder here belongs to one node of a vault and is named by the node's id. In it:

  MANIFEST            lists the files, signed by the node; written last, so a folder without it is not complete
  <id>.bundle         sealed, from the vault to a node
  <id>.report         sealed, from a node to the vault
  <id>.notice         signed, from an edge to a gateway; it holds no secret
  <id>.join           a request to join a vault

There are no programs, archives or links here. Nothing runs by itself. Do not add, change or rename files: a folder
with a changed file is refused. 'tidegate media inspect' shows what is here, without any key.
`;
