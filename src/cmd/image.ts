export async function listImages(_name: string): Promise<string> {
  return await Promise.resolve("");
}
export async function loadImages(_name: string, _file: string): Promise<string> {
  return await Promise.resolve("");
}
