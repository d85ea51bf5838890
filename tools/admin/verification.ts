import { idsOf } from './audit.ts';
import { type Commands, tenantNamed } from './command.ts';

export const verificationCommands: Commands = {
  'verification id': {
    words: 2,
    run: async ([id = '', source = ''], { connect }) => {
      const [current, legacy] = await idsOf(tenantNamed(id), source, connect);
      console.log(`${current}\n${legacy}  if a version from before ids had a key made it`);
    },
  },
};
