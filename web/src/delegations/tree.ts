interface Task {
  id: string;
  parentId: string | null;
}

export interface Branch<Item extends Task> {
  task: Item;
  children: Branch<Item>[];
}

/**
 * Tasks below those they came of. The newest first, but what came of one in the order it was given;
 * a task whose parent is on no page yet stands by itself.
 */
export function treeOf<Item extends Task>(newestFirst: readonly Item[]): Branch<Item>[] {
  const branches = new Map<string, Branch<Item>>(newestFirst.map((task) => [task.id, { task, children: [] }]));
  const roots: Branch<Item>[] = [];
  for (const branch of branches.values()) {
    const above = branch.task.parentId === null ? undefined : branches.get(branch.task.parentId);
    if (above) above.children.unshift(branch);
    else roots.push(branch);
  }
  return roots;
}
