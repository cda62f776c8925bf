/** Builds the viewer into viewer/dist: one page that asks nothing of any other server. */
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // The page is served from a daemon's root, from a folder, or from within an export.
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Vite's own preload helper is not needed by a page of one chunk.
    modulePreload: false,
  },
  server: { host: '127.0.0.1' },
});
