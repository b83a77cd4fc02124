/**
 * An ordered map: a treap whose priorities come from a counter, so that equal histories give equal trees and
 * no randomness is needed. All operations are O(log n) on average. Mutable.
 */
interface TreeNode<K, V> {
  readonly key: K;
  value: V;
  readonly weight: number;
  left: TreeNode<K, V> | undefined;
  right: TreeNode<K, V> | undefined;
}

export interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
}

/** Scrambles a counter into an evenly spread 32-bit number (the finaliser of MurmurHash3). */
function spread(counter: number): number {
  let x = counter | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

type Tree<K, V> = TreeNode<K, V> | undefined;

function merge<K, V>(low: Tree<K, V>, high: Tree<K, V>): Tree<K, V> {
  if (low === undefined) return high;
  if (high === undefined) return low;
  if (low.weight > high.weight) {
    low.right = merge(low.right, high);
    return low;
  }
  high.left = merge(low, high.left);
  return high;
}

export class SortedMap<K extends bigint | string, V> {
  #root: Tree<K, V>;
  #size = 0;
  #counter = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    let node = this.#root;
    while (node !== undefined && node.key !== key) node = key < node.key ? node.left : node.right;
    return node?.value;
  }

  set(key: K, value: V): void {
    let node = this.#root;
    while (node !== undefined && node.key !== key) node = key < node.key ? node.left : node.right;
    if (node !== undefined) {
      node.value = value;
      return;
    }
    this.#counter += 1;
    this.#size += 1;
    const [low, high] = this.#split(this.#root, key);
    const fresh = { key, value, weight: spread(this.#counter), left: undefined, right: undefined };
    this.#root = merge(merge(low, fresh), high);
  }

  delete(key: K): boolean {
    let parent: Tree<K, V>;
    let node = this.#root;
    while (node !== undefined && node.key !== key) {
      parent = node;
      node = key < node.key ? node.left : node.right;
    }
    if (node === undefined) return false;
    const joined = merge(node.left, node.right);
    if (parent === undefined) this.#root = joined;
    else if (parent.left === node) parent.left = joined;
    else parent.right = joined;
    this.#size -= 1;
    return true;
  }

  /** The entry with the smallest key. */
  first(): Entry<K, V> | undefined {
    let node = this.#root;
    while (node?.left !== undefined) node = node.left;
    return node;
  }

  /** The entry with the greatest key that is not above `key`. */
  floor(key: K): Entry<K, V> | undefined {
    let best: Tree<K, V>;
    let node = this.#root;
    while (node !== undefined) {
      if (node.key <= key) {
        best = node;
        node = node.right;
      } else node = node.left;
    }
    return best;
  }

  /** Entries in ascending order of their keys. */
  *entries(): Generator<Entry<K, V>> {
    const path: TreeNode<K, V>[] = [];
    let node = this.#root;
    while (node !== undefined || path.length > 0) {
      while (node !== undefined) {
        path.push(node);
        node = node.left;
      }
      const top = path.pop();
      if (top === undefined) return;
      yield top;
      node = top.right;
    }
  }

  /** Everything below `key`, and everything at or above it. */
  #split(tree: Tree<K, V>, key: K): [Tree<K, V>, Tree<K, V>] {
    if (tree === undefined) return [undefined, undefined];
    if (tree.key < key) {
      const [low, high] = this.#split(tree.right, key);
      tree.right = low;
      return [tree, high];
    }
    const [low, high] = this.#split(tree.left, key);
    tree.left = high;
    return [low, tree];
  }
}
