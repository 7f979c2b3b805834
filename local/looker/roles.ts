import { ADMINISTRATORS_PERMISSION, PERMISSIONS, type Permission } from "./permissions.ts";
import { MODEL_NAMES } from "./sample-lookml.ts";

/** A role is a set of permissions on a set of models. */
export interface LookerRole {
  readonly name: string;
  /** `all`: a permission set with all access. `administer` belongs to the role Admin alone. */
  readonly permissions: readonly Permission[] | "all";
  /** `all`: Looker's model set All, with models that are made later. */
  readonly models: readonly string[] | "all";
}

export interface Role extends LookerRole {
  readonly id: string;
}

export const ADMIN_ROLE: LookerRole = { name: "Admin", permissions: "all", models: "all" };

/** Equal roles of several accounts are one role with one id. */
export class Roles {
  readonly #known = [JSON.stringify(ADMIN_ROLE)];

  withId({ name, permissions, models }: LookerRole): Role {
    const role = { name, permissions, models };
    const text = JSON.stringify(role);
    if (!this.#known.includes(text)) this.#known.push(text);
    return { ...role, id: String(this.#known.indexOf(text) + 1) };
  }
}

const isAdminRole = ({ name }: LookerRole) => name === ADMIN_ROLE.name;

export function permissionsOf(role: LookerRole): readonly Permission[] {
  if (role.permissions !== "all") return role.permissions;
  return isAdminRole(role) ? PERMISSIONS : PERMISSIONS.filter((name) => name !== ADMINISTRATORS_PERMISSION);
}

export function describeRole(role: Role): object {
  const { id, name, permissions, models } = role;
  const everyModel = models === "all";
  return {
    can: {},
    id,
    name,
    internal: false,
    permission_set: {
      can: {},
      id,
      name,
      all_access: permissions === "all",
      built_in: isAdminRole(role),
      permissions: permissionsOf(role),
    },
    model_set: {
      can: {},
      id,
      name: everyModel ? "All" : name,
      all_access: everyModel,
      built_in: everyModel,
      models: everyModel ? MODEL_NAMES : models,
    },
  };
}
