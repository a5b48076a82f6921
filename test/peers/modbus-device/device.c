/*
 * A Modbus TCP device on libmodbus with the password scheme of a real make, as its manual describes it:
 *   eastron  Eastron SDM72D-M: float password in 0x0018, programming authorisation (KPPA) in 0x000E
 *   shark    EIG Shark 100: settings update mode, copy in RAM, checksum, EEPROM, restart
 *
 * device KIND STATEFILE TRIES
 *   STATEFILE  the device's non-volatile memory: the password in decimal
 *   TRIES      wrong passwords after which every password is refused until a restart, 0 for never
 *
 * It prints one line with libmodbus' version and its port, and holds one session at a time: another client connects and
 * gets no answer. Lines on standard input bring faults, each for the next write to ADDRESS (hexadecimal); it answers "ok":
 *   drop ADDRESS            applies it, then closes the connection without an answer
 *   mute ADDRESS            applies it and says nothing
 *   lose ADDRESS            closes the connection as if the request had never come
 *   exception ADDRESS CODE  refuses it with that exception
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KPPA = 0x000E, SDM_PASSWORD = 0x0018 };
enum { SERIAL = 0x0008, STATUS = 0x1387, INITIATE = 0x55EF, TERMINATE = 0x55F0, CALCULATE = 0x55F1, CHECKSUM = 0x55F2, NEW_PASSWORD = 0x55F3 };
enum { RUN = 1, UPDATE = 12, EEPROM_OK = 0x3F00 };

static const char *state_file;
static bool shark;
static int tries_allowed, wrong_tries;
static unsigned stored_password, ram_password;
static int status = RUN;
static bool authorised, restart_after_reply;
static modbus_mapping_t *map;

static char fault[16];
static int fault_address = -1, fault_code;

static void load(void) {
  FILE *file = fopen(state_file, "r");
  if (file == NULL || fscanf(file, "%u", &stored_password) != 1) {
    fprintf(stderr, "cannot read %s\n", state_file);
    exit(1);
  }
  fclose(file);
  ram_password = stored_password;
  status = RUN;
  authorised = false;
}

static void store(unsigned password) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.new", state_file);
  FILE *file = fopen(temporary, "w");
  if (file == NULL) exit(1);
  fprintf(file, "%u\n", password);
  fflush(file);
  fsync(fileno(file));
  fclose(file);
  if (rename(temporary, state_file) != 0) exit(1);
  stored_password = password;
}

/* True for the right password, unless too many wrong ones have come before. */
static bool right(bool matches) {
  if (tries_allowed > 0 && wrong_tries >= tries_allowed) return false;
  wrong_tries = matches ? 0 : wrong_tries + 1;
  return matches;
}

static void set_float(int address, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  map->tab_registers[address] = bits >> 16;
  map->tab_registers[address + 1] = bits & 0xFFFF;
}

static uint16_t ram_checksum(void) { return (uint16_t)(ram_password * 7 + 0x1234); }

static void refresh(void) {
  if (!shark) {
    set_float(KPPA, authorised ? 1.0f : 0.0f);
    set_float(SDM_PASSWORD, (float)stored_password);
    return;
  }
  const char *serial = "0000000031337001";
  for (int i = 0; i < 8; i += 1) map->tab_registers[SERIAL + i] = (uint16_t)(serial[2 * i] << 8 | serial[2 * i + 1]);
  map->tab_registers[STATUS] = (uint16_t)(EEPROM_OK | status);
  map->tab_registers[CALCULATE] = status == UPDATE ? ram_checksum() : 0;
}

/* Carries one write out; 0 or the exception. */
static int write_eastron(int address, int count, const uint8_t *data) {
  if (count != 2) return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
  uint32_t bits = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
  float value;
  memcpy(&value, &bits, sizeof value);
  if (address == KPPA) {
    authorised = right(value == (float)stored_password);
    return 0;
  }
  if (address != SDM_PASSWORD) return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
  if (!authorised) return MODBUS_EXCEPTION_SLAVE_OR_SERVER_FAILURE;
  if (!(value >= 1 && value <= 9999)) return MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
  store((unsigned)value);
  return 0;
}

static int write_shark(int address, int count, const uint8_t *data) {
  if (count != 1) return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
  unsigned value = (unsigned)(data[0] << 8 | data[1]);
  if (address == INITIATE) {
    if (status == UPDATE) return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
    if (right(value == stored_password)) status = UPDATE;
    return 0; /* "If the password is incorrect, a valid response is returned but the command is not executed." */
  }
  if (status != UPDATE) return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
  if (address == TERMINATE) {
    restart_after_reply = true;
    return 0;
  }
  if (address == NEW_PASSWORD) {
    if (value > 9999) return MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE;
    ram_password = value;
    return 0;
  }
  if (address != CHECKSUM) return MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS;
  if (value != ram_checksum()) {
    restart_after_reply = true;
    return MODBUS_EXCEPTION_SLAVE_OR_SERVER_FAILURE;
  }
  store(ram_password);
  return 0;
}

static int write_registers(int address, int count, const uint8_t *data) {
  return shark ? write_shark(address, count, data) : write_eastron(address, count, data);
}

/* Answers one request; false where the connection is to be closed. */
static bool serve(modbus_t *context, const uint8_t *request, int length) {
  const uint8_t *pdu = request + modbus_get_header_length(context);
  int address = pdu[1] << 8 | pdu[2];
  bool single = pdu[0] == MODBUS_FC_WRITE_SINGLE_REGISTER;
  if (single || pdu[0] == MODBUS_FC_WRITE_MULTIPLE_REGISTERS) {
    bool faulty = fault[0] != '\0' && address == fault_address;
    if (faulty) fault_address = -1;
    if (faulty && strcmp(fault, "lose") == 0) return false;
    if (faulty && strcmp(fault, "exception") == 0) return modbus_reply_exception(context, request, (unsigned)fault_code) >= 0;
    int exception = single ? write_registers(address, 1, pdu + 3) : write_registers(address, pdu[3] << 8 | pdu[4], pdu + 6);
    refresh();
    if (faulty && strcmp(fault, "mute") == 0) return true;
    bool answered = faulty && strcmp(fault, "drop") == 0 ? false
                    : exception != 0                     ? modbus_reply_exception(context, request, (unsigned)exception) >= 0
                                                         : modbus_reply(context, request, length, map) >= 0;
    if (restart_after_reply) {
      restart_after_reply = false;
      load();
      refresh();
      return false;
    }
    refresh(); /* modbus_reply has copied the request into the map. */
    return answered;
  }
  return modbus_reply(context, request, length, map) >= 0;
}

static void command(void) {
  char line[128], name[16];
  int address, code = 0;
  if (fgets(line, sizeof line, stdin) == NULL) exit(0); /* The test is gone. */
  if (sscanf(line, "%15s %x %d", name, (unsigned *)&address, &code) >= 2) {
    strcpy(fault, name);
    fault_address = address;
    fault_code = code;
  }
  printf("ok\n");
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  shark = strcmp(argv[1], "shark") == 0;
  state_file = argv[2];
  tries_allowed = atoi(argv[3]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0);
  map = modbus_mapping_new(0, 0, 0x6000, 0);
  modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
  int listener = context == NULL || map == NULL ? -1 : modbus_tcp_listen(context, 1);
  struct sockaddr_in bound;
  socklen_t size = sizeof bound;
  if (listener < 0 || getsockname(listener, (struct sockaddr *)&bound, &size) != 0) return 1;
  load();
  refresh();
  printf("libmodbus %u.%u.%u port %d\n", libmodbus_version_major, libmodbus_version_minor, libmodbus_version_micro, ntohs(bound.sin_port));
  int client = -1;
  for (;;) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(STDIN_FILENO, &readable);
    FD_SET(client < 0 ? listener : client, &readable);
    if (select((client < 0 ? listener : client) + 1, &readable, NULL, NULL, NULL) < 0) return 1;
    if (FD_ISSET(STDIN_FILENO, &readable)) command();
    if (client < 0) {
      if (FD_ISSET(listener, &readable)) client = modbus_tcp_accept(context, &listener);
    } else if (FD_ISSET(client, &readable)) {
      uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
      int length = modbus_receive(context, request);
      if (length < 0 || (length > 0 && !serve(context, request, length))) {
        modbus_close(context);
        client = -1;
      }
    }
  }
}
