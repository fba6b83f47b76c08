# Any image with Node 24 and npm. The runtime stage needs nothing but node: no shell, no package manager.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY service/tsconfig.json service/
COPY service/scripts/build.mjs service/scripts/prepare.mjs service/scripts/dev.mjs service/scripts/
COPY service/src service/src
RUN npm run build && rm -f dist/.tsbuildinfo && find dist -name '*.map' -delete

# Type declarations, maps and manuals are for people who develop; licences stay.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev \
  && find node_modules \( -name '*.ts' -o -name '*.cts' -o -name '*.mts' -o -name '*.map' -o -name '*.md' \) -type f -delete \
  && find node_modules -type d -empty -delete

# For `skaffold dev`: runs the TypeScript sources (Node 24 strips the types) and starts anew when one changes.
# The folder belongs to the user of the container, so that files can be synchronised into it.
FROM build AS dev
RUN chown -R 1000:1000 /app/service
USER 1000:1000
ENV HOME=/tmp
EXPOSE 3000 9464
ENTRYPOINT ["node", "--max-semi-space-size=1", "service/scripts/dev.mjs"]

FROM ${NODE_IMAGE} AS runtime
LABEL org.opencontainers.image.title="socketfleet" \
  org.opencontainers.image.description="A realtime tier for Socket.IO clients on Kubernetes" \
  org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENS[E] ./
COPY --from=build /app/dist dist
# A number, because Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
ENV NODE_ENV=production
EXPOSE 3000 9464
# The semi-space flag halves the memory of an idle client and costs nothing in fan-out. Sub-commands follow as arguments.
ENTRYPOINT ["node", "--max-semi-space-size=1", "dist/main.js"]
